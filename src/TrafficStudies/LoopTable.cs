using System.Globalization;
using V2XSim.Traffic.Demand;
using V2XSim.Traffic.Micro;

namespace V2XSim.TrafficStudies;

/// <summary>Writes what induction loops count, one row for each and period.</summary>
public sealed class LoopTable : IDisposable
{
    public const string Header = "loop,beginSeconds,endSeconds,vehicles,flowVehiclesPerHour,occupancyPercent,meanSpeedMetresPerSecond";
    private readonly TextWriter _writer;
    private readonly IReadOnlyList<LoopDetector> _loops;
    private readonly double[] _since;

    public LoopTable(TextWriter writer, IReadOnlyList<LoopDetector> loops, double begin)
    {
        (_writer, _loops) = (writer, loops);
        _since = [.. loops.Select(_ => begin)];
    }

    /// <summary>Writes the periods that are over; at the end also those that are not.</summary>
    public void Read(TrafficEngine engine, bool isLast)
    {
        for (int i = 0; i < _loops.Count; i++)
        {
            double seconds = engine.Seconds - _since[i];
            if (seconds < _loops[i].PeriodSeconds - 1e-9 && !(isLast && seconds > 0))
            {
                continue;
            }

            LoopCount count = engine.ReadLoop(i);
            string speed = count.Vehicles > 0 ? (count.SpeedSum / count.Vehicles).ToString("0.##", CultureInfo.InvariantCulture) : string.Empty;
            _writer.Write(string.Create(
                CultureInfo.InvariantCulture,
                $"{_loops[i].Id},{_since[i]:0.###},{engine.Seconds:0.###},{count.Vehicles},{count.Vehicles * 3600 / seconds:0.#},{100 * count.OccupiedSeconds / seconds:0.##},{speed}\n"));
            _since[i] = engine.Seconds;
        }
    }

    public void Dispose() => _writer.Dispose();
}
