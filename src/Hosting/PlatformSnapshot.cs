namespace V2XSim.Hosting;

/// <summary>What a live platform has done and used since it began.</summary>
public sealed record PlatformSnapshot
{
    public const double BytesPerMegabyte = 1 << 20;

    public long UnixMicroseconds { get; init; }

    public double CpuSeconds { get; init; }

    public long AllocatedBytes { get; init; }

    public long WorkingSetBytes { get; init; }

    public long Handles { get; init; }

    /// <summary>Times that the process's threads have gone to sleep and been woken again; 0 where the system does not tell.</summary>
    public long Wakes { get; init; }

    public int CollectionsOfGeneration0 { get; init; }

    public int CollectionsOfGeneration2 { get; init; }

    public double PauseSeconds { get; init; }

    /// <summary>What the last full collection found in use; 0 before the first. The rest of the memory is garbage, or free.</summary>
    public long HeldBytes { get; init; }

    /// <summary>Which collection found that, by its number.</summary>
    public long HeldAtCollection { get; init; }

    /// <summary>Messages that inboxes have taken.</summary>
    public long Accepted { get; init; }

    /// <summary>Messages used.</summary>
    public long Used { get; init; }

    /// <summary>Messages that were not used, by reason.</summary>
    public SortedDictionary<string, long> Rejected { get; init; } = [];

    /// <summary>Lists that gave way to newer ones.</summary>
    public long Superseded { get; init; }

    public long Publications { get; init; }

    public long PublicationsWithoutAList { get; init; }

    public long Frames { get; init; }

    public long Objects { get; init; }

    /// <summary>Messages down that found no room.</summary>
    public long NotSent { get; init; }

    public long Handovers { get; init; }

    /// <summary>Reports of devices about themselves.</summary>
    public long DeviceReports { get; init; }

    /// <summary>Events on the road that devices reported.</summary>
    public long Events { get; init; }

    /// <summary>Orders that signals' controllers have confirmed.</summary>
    public long OrdersAccepted { get; init; }

    /// <summary>Orders that signals' controllers have refused, or for which an edge had no room.</summary>
    public long OrdersRefused { get; init; }

    /// <summary>Announcements for which their edge had no room.</summary>
    public long HandoversRefused { get; init; }

    /// <summary>Seconds and minutes of traffic that regions and the centre have closed.</summary>
    public long WindowsClosed { get; init; }

    /// <summary>Windows of edges that came after their region had closed that second.</summary>
    public long WindowsLate { get; init; }

    /// <summary>Windows of edges for which there was no room on the way to their regions, or which those did not take.</summary>
    public long WindowsRefused { get; init; }

    public int Connections { get; init; }

    public bool IsOverloaded { get; init; }

    /// <summary>Messages in inboxes.</summary>
    public int Waiting { get; init; }

    /// <summary>Work items that wait for a thread.</summary>
    public long PendingWorkItems { get; init; }
}
