using V2XSim.Contracts;
using V2XSim.Foundation;
using V2XSim.Tracking.Edge;

namespace V2XSim.EdgeNode;

/// <summary>The edge's traffic counts: the tracks on its own ground, by link, in windows that begin on the second.</summary>
/// <param name="config">The edge.</param>
internal sealed class TrafficCounter(EdgeConfig config)
{
    private readonly LinkCounter _links = new();
    private SimTime _start;
    private int _warnings;
    private int _tracks;

    /// <summary>Counts a track of a publication.</summary>
    /// <param name="identity">Its published identity.</param>
    /// <param name="piece">Piece of road that it is on; null for none.</param>
    /// <param name="speedMetresPerSecond">Its speed.</param>
    public void Add(ulong identity, RoadPiece? piece, double speedMetresPerSecond)
    {
        _tracks++;
        if (piece is { } on)
        {
            _links.Add(identity, in on, speedMetresPerSecond);
        }
    }

    /// <summary>Counts collision warnings.</summary>
    public void AddWarnings(int count) => _warnings += count;

    /// <summary>Ends a publication.</summary>
    public void EndPublication() => _links.EndPublication();

    /// <summary>Whether an instant is after the end of the second whose window is open.</summary>
    public bool IsBeyondWindow(SimTime at) => at.Microseconds - _start.Microseconds > SimTime.MicrosecondsPerSecond;

    /// <summary>The window of the second that has ended by now; null when none has ended, or nothing was published in it.</summary>
    public EdgeWindow? Close(SimTime now)
    {
        long start = _start.Microseconds;
        if (now.Microseconds - start < SimTime.MicrosecondsPerSecond)
        {
            return null;
        }

        int publications = _links.Publications;
        LinkRow[] rows = [.. _links.Close().Select(l => new LinkRow(l.Link, l.VehicleSamples, l.SpeedSum, l.Entered, publications, l.FreeSpeed, config.WatchedLaneMetres.GetValueOrDefault(l.Link)))];
        EdgeWindow? window = publications == 0 ? null
            : new EdgeWindow(config.EdgeId, start, start + SimTime.MicrosecondsPerSecond, rows, _tracks / (double)publications, _warnings, publications);
        (_start, _warnings, _tracks) = (new SimTime(now.Microseconds / SimTime.MicrosecondsPerSecond * SimTime.MicrosecondsPerSecond), 0, 0);
        return window;
    }
}
