namespace V2XSim.SignalStudies;

/// <summary>What <c>signals arterial --json</c> prints.</summary>
public sealed record ArterialResult(string File, string Street, IReadOnlyList<string> OutRoute, IReadOnlyList<string> InRoute, IReadOnlyList<ArterialSignalResult> Signals, IReadOnlyList<string> Notes);

/// <summary>A street that could be picked.</summary>
public sealed record StreetResult(string Street, int SignalCount, double LengthMetres);

/// <summary>A signal of the street.</summary>
/// <param name="OffsetSeconds">When its programme's first phase begins, after the zero of the signals' common clock.</param>
/// <param name="MetresFromPrevious">From line to line, outbound.</param>
public sealed record ArterialSignalResult(string Signal, string Programme, double CycleSeconds, double OffsetSeconds, double GreenOutSeconds, double GreenInSeconds, double MetresFromPrevious);
