using V2XSim.Foundation;

namespace V2XSim.Traffic;

/// <summary>One road user at one recorded instant.</summary>
/// <param name="X">Middle of the body, plane metres east.</param>
/// <param name="Y">Middle of the body, plane metres north.</param>
/// <param name="Lane">Lane index; −1 when the recording does not say.</param>
/// <param name="LanePositionMetres">Front of the body along the lane.</param>
public readonly record struct RecordedUser(
    string Id,
    double X,
    double Y,
    double HeadingRadians,
    double SpeedMetresPerSecond,
    BodySize Size,
    RoadUserKind Kind,
    int Lane,
    double LanePositionMetres);

/// <summary>All road users at one recorded instant.</summary>
/// <param name="Seconds">Time of the recording's own clock.</param>
public sealed record RecordedStep(double Seconds, IReadOnlyList<RecordedUser> Users)
{
    private Dictionary<string, int>? _indexes;

    /// <summary>Finds a road user by its recorded name.</summary>
    public bool TryFind(string id, out RecordedUser user)
    {
        if (_indexes is null)
        {
            _indexes = new Dictionary<string, int>(Users.Count, StringComparer.Ordinal);
            for (int i = 0; i < Users.Count; i++)
            {
                _indexes.TryAdd(Users[i].Id, i);
            }
        }

        bool found = _indexes.TryGetValue(id, out int index);
        user = found ? Users[index] : default;
        return found;
    }
}

/// <summary>A recording that yields its instants one after the other, never as a whole.</summary>
public interface IRecording : IDisposable
{
    /// <summary>The next instant, or null at the end.</summary>
    RecordedStep? Next();

    /// <summary>What a reader of results should know of the recording, with counts: rows left out, joins.</summary>
    IReadOnlyDictionary<string, long> Remarks { get; }
}
