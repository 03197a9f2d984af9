using V2XSim.Contracts;
using V2XSim.Evaluation;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Reporting;
using V2XSim.Roadside;

namespace V2XSim.Runs;

/// <summary>
/// Follows each list of road users from the sensor to the edge, and the fused list that it entered from the edge back to the roadside.
/// Messages down are added from another thread than messages up.
/// </summary>
public sealed class SensorToRoadLatency
{
    private readonly LatencyBreakdown _hops = new();
    private readonly SortedDictionary<(long Published, string Device), long> _received = [];
    private readonly Queue<(string Device, long Sensed, long Sent, long Arrived, long Fused)> _used = [];
    private readonly Lock _lock = new();

    public SensorToRoadLatency()
    {
        _hops.Declare("sensing", "sensed", "sent");
        _hops.Declare("uplink", "sent", "arrived");
        _hops.Declare("waiting", "arrived", "fused and published");
        _hops.Declare("downlink", "published", "received at the roadside");
        _hops.Declare("edge", "sensed", "received at the roadside");
    }

    /// <summary>Latencies by hop.</summary>
    public LatencyBreakdown Hops => _hops;

    /// <summary>Adds a list of road users that an edge has used.</summary>
    /// <param name="row">The message.</param>
    /// <param name="fusedMicroseconds">When the edge fused and published, event time.</param>
    public void AddUsed(in MessageRow row, long fusedMicroseconds)
    {
        if (row.Reason != RejectReason.None || row.Kind != TopicKind.ParticipantUp)
        {
            return;
        }

        _hops.Add("sensing", row.SentMicroseconds - row.SensedMicroseconds);
        _hops.Add("uplink", row.ArrivalMicroseconds - row.SentMicroseconds);
        _hops.Add("waiting", fusedMicroseconds - row.ArrivalMicroseconds);
        _used.Enqueue((row.Device, row.SensedMicroseconds, row.SentMicroseconds, row.ArrivalMicroseconds, fusedMicroseconds));
    }

    /// <summary>Adds fused lists that devices have received.</summary>
    public void AddReceived(IEnumerable<ReceivedDown> received)
    {
        lock (_lock)
        {
            foreach (ReceivedDown r in received.Where(r => r.Received != SimTime.Never && r.Kind == TopicKind.RsmDown))
            {
                _hops.Add("downlink", r.Received.Microseconds - r.Published.Microseconds);

                // A list in several frames is complete when the last of them is there.
                (long, string) key = (r.Published.Microseconds, r.Device);
                _received[key] = Math.Max(_received.GetValueOrDefault(key), r.Received.Microseconds);
            }
        }
    }

    /// <summary>Adds up the whole way of lists that were fused by an instant, and forgets them.</summary>
    public void Settle(long untilMicroseconds)
    {
        lock (_lock)
        {
            while (_used.TryPeek(out (string Device, long Sensed, long Sent, long Arrived, long Fused) next) && next.Fused <= untilMicroseconds)
            {
                _used.Dequeue();
                if (_received.TryGetValue((next.Fused, next.Device), out long received))
                {
                    _hops.AddWhole(
                        "edge",
                        received - next.Sensed,
                        ("sensor", next.Sent - next.Sensed),
                        ("network", next.Arrived - next.Sent + (received - next.Fused)),
                        ("waiting", next.Fused - next.Arrived));
                }
            }

            while (_received.Count > 0 && _received.First().Key.Published <= untilMicroseconds)
            {
                _received.Remove(_received.First().Key);
            }
        }
    }

    public LatencySection Section() => new(
        _hops.Row("edge"),
        [_hops.Row("sensing"), _hops.Row("uplink"), _hops.Row("waiting"), _hops.Row("downlink")],
        LatencyBreakdown.DeadlineMilliseconds,
        _hops.DeadlineMisses,
        _hops.MissesByCause);
}
