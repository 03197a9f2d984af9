namespace V2XSim.Foundation;

/// <summary>Exit codes of all commands. Scripts depend on them.</summary>
public static class ExitCodes
{
    public const int Done = 0;
    public const int InternalError = 1;
    public const int BadInput = 2;

    /// <summary>The command finished, but a threshold or comparison failed.</summary>
    public const int ComparisonFailed = 3;

    /// <summary>A broker, database or port cannot be used.</summary>
    public const int Unavailable = 5;

    public const int Storage = 6;
    public const int Interrupted = 130;
}
