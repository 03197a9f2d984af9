using V2XSim.Foundation;
using V2XSim.Reporting;
using V2XSim.Signals;
using V2XSim.Traffic.Micro;

namespace V2XSim.Evaluation;

/// <summary>Adds up traffic before the signals of a run are given other plans, while they change over, and after.</summary>
public sealed class PlanPeriods
{
    private readonly Dictionary<string, bool> _commanded = new(StringComparer.Ordinal);
    private readonly List<Period> _periods = [];

    /// <summary>Notes what a signal shows from now on.</summary>
    public void See(in SignalShown shown)
    {
        // One that lets a vehicle through goes on with its plan afterwards.
        if (shown.Mode == SignalMode.Commanded)
        {
            _commanded[shown.Signal] = shown.IsInStep;
        }
    }

    /// <summary>Takes the traffic of a step, after everything that was shown by its end.</summary>
    public void Add(double seconds, TruthFrame frame)
    {
        string state = _commanded.Count == 0 ? "before" : _commanded.ContainsValue(false) ? "changing over" : "after";
        if (_periods.Count == 0 || _periods[^1].State != state)
        {
            _periods.Add(new Period(state, _periods.Count == 0 ? 0 : _periods[^1].To));
        }

        Period period = _periods[^1];
        period.To = seconds;
        period.Steps++;
        period.Vehicles += frame.Count;
        for (int i = 0; i < frame.Count; i++)
        {
            period.Speed += frame.SpeedMetresPerSecond[i];
            period.Standing += frame.SpeedMetresPerSecond[i] < TrafficEngine.StandingMetresPerSecond ? 1 : 0;
        }
    }

    /// <summary>Null when no signal was given a plan.</summary>
    public IReadOnlyList<PlanPeriod>? ToReport() => _commanded.Count == 0
        ? null
        : [.. _periods.Select(p => new PlanPeriod(p.State, p.From, p.To, p.Vehicles / p.Steps, p.Vehicles > 0 ? p.Speed / p.Vehicles : 0, p.Standing / p.Steps))];

    private sealed class Period
    {
        public Period(string state, double from) => (State, From, To) = (state, from, from);

        public string State { get; }

        public double From { get; }

        public double To { get; set; }

        public double Steps { get; set; }

        public double Vehicles { get; set; }

        public double Speed { get; set; }

        public double Standing { get; set; }
    }
}
