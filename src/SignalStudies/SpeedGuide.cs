using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Signals;
using V2XSim.Tracking.Edge;
using V2XSim.Traffic.Micro;

namespace V2XSim.SignalStudies;

/// <summary>Advises vehicles the speed at which they come to green, once a second, from what their signals will show and the queues before them.</summary>
public sealed class SpeedGuide
{
    private const double AdviceSeconds = 2;
    private const double QueuedMetresPerSecond = 1.4;
    private static readonly GuidanceSettings Settings = new() { SpeedAdvice = true };
    private readonly RoadNetwork _network;
    private readonly SignalEngine _player;
    private readonly Degradation _degradation;
    private readonly double _share;
    private readonly ulong _seed;
    private readonly VehicleVisitor _see;
    private TrafficEngine _engine = null!;
    private long _second = long.MinValue;
    private int _lane;
    private int _queue;

    public SpeedGuide(RoadNetwork network, SignalEngine player, double share, Degradation degradation, ulong seed)
    {
        (_network, _player, _share, _degradation, _seed) = (network, player, share, degradation, seed);
        _see = See;
    }

    public void Advise(TrafficEngine engine)
    {
        if ((long)Math.Floor(engine.Seconds + 1e-9) is var second && second == _second)
        {
            return;
        }

        (_engine, _second, _lane) = (engine, second, -1);
        engine.ForEachVehicle(_see);
    }

    /// <summary>Vehicles of a lane come from its end backwards.</summary>
    private void See(in VehicleView v)
    {
        if (v.Lane != _lane)
        {
            (_lane, _queue) = (v.Lane, 0);
        }

        int before = _queue;
        if (v.SpeedMetresPerSecond < QueuedMetresPerSecond && RandomStream.Share(_seed ^ 0x51 ^ ((ulong)v.Trip << 20) ^ (ulong)v.Lane) >= _degradation.SensingMissShare)
        {
            _queue++;
        }

        if (v.Movement < 0 || RandomStream.Share(_seed ^ 0xA5 ^ ((ulong)v.Trip << 20)) >= _share)
        {
            return;
        }

        Connection movement = _network.Connections[v.Movement];
        if (movement.SignalId is null || movement.SignalIndex < 0 || _player.ControlOf(movement.SignalId) is not { } control
            || (_degradation.MessageLossShare > 0 && RandomStream.Share(_seed ^ ((ulong)v.Trip << 32) ^ (ulong)_second) < _degradation.MessageLossShare))
        {
            return;
        }

        Lane lane = _network.Lanes[v.Lane];
        SignalPrediction o = control.PredictionAt(_engine.Seconds, movement.SignalIndex);
        Span<GreenWindow> greens = stackalloc GreenWindow[3];
        int count = 0;
        double at = 0;
        foreach ((Aspect aspect, double seconds) in (ReadOnlySpan<(Aspect, double)>)[(o.Now, o.RemainingSeconds), (o.Next, o.NextSeconds), (o.Third, o.ThirdSeconds)])
        {
            if (aspect.IsGreen())
            {
                greens[count++] = new GreenWindow(at, at + seconds);
            }

            at += seconds;
        }

        if (SpeedAdvisor.Advise(lane.LengthMetres - v.Metres, v.SpeedMetresPerSecond, lane.SpeedLimitMetresPerSecond, greens[..count], before, Settings) is { } advice)
        {
            _engine.Advise(v.Trip, advice.SpeedMetresPerSecond, _engine.Seconds + Math.Min(AdviceSeconds, advice.Seconds));
        }
    }
}
