using V2XSim.Reporting;
using V2XSim.ScenarioFiles;
using V2XSim.Signals;
using V2XSim.Signals.Arterials;
using V2XSim.Traffic.Micro;

namespace V2XSim.Evaluation;

/// <summary>What a run's vehicles and signals did along a street, for its report: some minutes about the first change of plans, or the first ones.</summary>
public sealed class StreetRecorder
{
    private const double BeforeSeconds = 150, LongestSeconds = 600;
    private readonly Arterial _street;
    private readonly StreetTracks _tracks;
    private readonly double _start;
    private readonly double _from;
    private readonly double _to;
    private readonly Dictionary<string, List<(double Seconds, string State, bool IsInStep)>> _shown;
    private double _second = double.NegativeInfinity;
    private double _last;

    /// <param name="simulated">The run's vehicles.</param>
    /// <param name="changeSeconds">When plans are first sent, after the start; null when none is.</param>
    public StreetRecorder(LoadedScenario loaded, SimulatedTraffic simulated, Arterial street, double? changeSeconds)
    {
        _street = street;
        _tracks = new StreetTracks(new StreetPlaces(loaded.File, loaded.Network, street));
        _start = simulated.ClockStartSeconds;
        _from = _start + Math.Max(0, (changeSeconds ?? 0) - BeforeSeconds);
        _to = _from + LongestSeconds;
        _shown = street.Signals.ToDictionary(s => s.Id, _ => new List<(double, string, bool)>(), StringComparer.Ordinal);
    }

    public void See(in SignalShown shown)
    {
        if (_shown.TryGetValue(shown.Signal, out List<(double, string, bool)>? states))
        {
            states.Add((shown.Seconds, shown.State, shown.IsInStep));
        }
    }

    /// <summary>Notes where vehicles are, once a second.</summary>
    public void Look(TrafficEngine engine)
    {
        _last = engine.Seconds;
        if (engine.Seconds >= _from && engine.Seconds <= _to && engine.Seconds >= _second + 1 - 1e-6)
        {
            _second = engine.Seconds;
            _tracks.Look(engine);
        }
    }

    public string Picture()
    {
        double end = Math.Min(_to, _last);
        var signals = new List<RecordedSignal>();
        IReadOnlyList<double> places = _street.PlacesMetres;
        for (int i = 0; i < _street.Signals.Count; i++)
        {
            ArterialSignal s = _street.Signals[i];
            signals.Add(new RecordedSignal(s.Id, places[i], Greens(s, s.OutMovements, end), Greens(s, s.InMovements, end), Stretches(_shown[s.Id], end, at => !at.IsInStep)));
        }

        return TimeSpaceDiagram.Recorded(_street.Name, signals, _tracks.ToList(_from), end - _from, _from - _start);
    }

    private List<double> Greens(ArterialSignal signal, IReadOnlyList<int> movements, double end) => movements.Count == 0
        ? [0, end - _from]
        : Stretches(_shown[signal.Id], end, at => movements.Any(m => Aspects.IsGreen(at.State, m)));

    /// <summary>From and to, in turn, of all stretches of time for which something holds.</summary>
    private List<double> Stretches(List<(double Seconds, string State, bool IsInStep)> states, double end, Func<(double Seconds, string State, bool IsInStep), bool> holds)
    {
        var result = new List<double>();
        for (int i = 0; i < states.Count; i++)
        {
            double from = Math.Max(states[i].Seconds, _from), to = Math.Min(i + 1 < states.Count ? states[i + 1].Seconds : end, end);
            if (to <= from || !holds(states[i]))
            {
                continue;
            }

            if (result.Count > 0 && Math.Abs(result[^1] - (from - _from)) < 1e-6)
            {
                result[^1] = to - _from;
            }
            else
            {
                result.AddRange([from - _from, to - _from]);
            }
        }

        return result;
    }
}
