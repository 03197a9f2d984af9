
namespace V2XSim.Foundation;

/// <summary>One problem in an input: its place, its description and a remedy.</summary>
/// <param name="File">File name as the user gave it.</param>
/// <param name="Line">Line, from 1; 0 when the problem has no line.</param>
/// <param name="Column">Column, from 1; 0 when unknown.</param>
/// <param name="Field">Path of the field, such as <c>traffic.file</c>; empty when the problem concerns the whole file.</param>
/// <param name="Message">Description of the problem.</param>
/// <param name="Remedy">What the user can do; may be empty.</param>
public sealed record Problem(string File, int Line, int Column, string Field, string Message, string Remedy)
{
    public override string ToString()
    {
        string place = Line > 0 ? $"{File}:{Line}:{Column}" : File;
        string field = Field.Length > 0 ? $" {Field}:" : string.Empty;
        return $"{place}:{field} {Message}" + (Remedy.Length > 0 ? $" ({Remedy})" : string.Empty);
    }
}

/// <summary>Thrown for invalid input. Carries every problem found, not only the first.</summary>
public sealed class BadInputException : Exception
{
    public BadInputException(IReadOnlyList<Problem> problems)
        : base(string.Join(Environment.NewLine, problems)) => Problems = problems;

    public BadInputException(string file, string field, string message, string remedy, int line = 0, int column = 0)
        : this([new Problem(file, line, column, field, message, remedy)])
    {
    }

    public BadInputException(string message)
        : this(string.Empty, string.Empty, message, string.Empty)
    {
    }

    public BadInputException()
        : this("invalid input")
    {
    }

    public BadInputException(string message, Exception innerException)
        : base(message, innerException) => Problems = [new Problem(string.Empty, 0, 0, string.Empty, message, string.Empty)];

    public IReadOnlyList<Problem> Problems { get; }
}

/// <summary>Finds the valid name that is most similar to a misspelt one.</summary>
public static class NearestName
{
    /// <summary>The candidate with the smallest edit distance; null when it differs in more than half of the longer name.</summary>
    public static string? Of(string name, IEnumerable<string> candidates)
    {
        string? best = null;
        int bestDistance = int.MaxValue;
        foreach (string candidate in candidates.Order(StringComparer.Ordinal))
        {
            int distance = Distance(name.ToUpperInvariant(), candidate.ToUpperInvariant());
            if (distance < bestDistance)
            {
                (best, bestDistance) = (candidate, distance);
            }
        }

        return best is not null && bestDistance <= Math.Max(name.Length, best.Length) / 2 ? best : null;
    }

    private static int Distance(string a, string b)
    {
        int[] row = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++)
        {
            row[j] = j;
        }

        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), substitution);
            }
        }

        return row[b.Length];
    }
}
