using V2XSim.Contracts;
using V2XSim.Messages;
using V2XSim.Reporting;
using V2XSim.Roadside;
using V2XSim.Sensing;
using V2XSim.Tracking.Edge;

namespace V2XSim.Evaluation;

/// <summary>Compares the platform's verdicts on vehicle messages with the simulator's knowledge of them.</summary>
public sealed class MisbehaviourScore
{
    private readonly Dictionary<(string Device, long Sequence), BsmLabel> _labels = [];
    private readonly SortedDictionary<Attack, (long Messages, long Flagged)> _attacks = [];
    private readonly Dictionary<Attack, HashSet<int>> _vehicles = [];
    private readonly SortedDictionary<string, long> _checks = new(StringComparer.Ordinal);
    private long _honest;
    private long _honestFlagged;
    private long _ofAttackersHonest;

    public void Add(string device, IEnumerable<BsmLabel> labels)
    {
        foreach (BsmLabel label in labels)
        {
            _labels[(device, label.Sequence)] = label;
        }
    }

    public void Add(in MessageRow row)
    {
        if (row.Kind != TopicKind.BsmUp || row.Reason is not (RejectReason.None or RejectReason.Implausible) || !_labels.Remove((row.Device, row.Sequence), out BsmLabel label))
        {
            return;
        }

        bool isFlagged = row.Reason != RejectReason.None;
        if (label.Attack is null && label.IsOfAttacker)
        {
            _ofAttackersHonest += isFlagged ? 1 : 0;
            return;
        }

        if (label.Attack is not { } attack)
        {
            _honest++;
            _honestFlagged += isFlagged ? 1 : 0;
        }
        else
        {
            (long messages, long flagged) = _attacks.GetValueOrDefault(attack);
            _attacks[attack] = (messages + 1, flagged + (isFlagged ? 1 : 0));
            if (!_vehicles.TryGetValue(attack, out HashSet<int>? vehicles))
            {
                _vehicles[attack] = vehicles = [];
            }

            vehicles.Add(label.Vehicle);
        }

        PlausibilityChecks failed = row.Checks;
        foreach (PlausibilityChecks check in Enum.GetValues<PlausibilityChecks>().Where(c => c != PlausibilityChecks.None && failed.HasFlag(c)))
        {
            _checks[check.ToString()] = _checks.GetValueOrDefault(check.ToString()) + 1;
        }
    }

    public PlausibilitySection Section()
    {
        long lies = _attacks.Values.Sum(a => a.Messages), caught = _attacks.Values.Sum(a => a.Flagged);
        return new PlausibilitySection(
            _honest + lies,
            _honest,
            _honestFlagged,
            Share(_honestFlagged, _honest),
            Share(caught, lies),
            Share(caught, caught + _honestFlagged),
            [.. _attacks.Select(a => new AttackRow(a.Key.ToString(), _vehicles[a.Key].Count, a.Value.Messages, a.Value.Flagged, Share(a.Value.Flagged, a.Value.Messages), Share(a.Value.Flagged, a.Value.Flagged + _honestFlagged)))],
            _ofAttackersHonest,
            _checks);

        static double Share(long part, long whole) => whole > 0 ? part / (double)whole : double.NaN;
    }
}
