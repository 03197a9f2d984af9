namespace V2XSim.Hosting;

/// <summary>Counters and resource use of a live platform since its start.</summary>
public sealed record PlatformSnapshot
{
    public const double BytesPerMegabyte = 1 << 20;

    public long UnixMicroseconds { get; init; }

    public double CpuSeconds { get; init; }

    public long AllocatedBytes { get; init; }

    public long WorkingSetBytes { get; init; }

    public long Handles { get; init; }

    /// <summary>Voluntary context switches of the process's threads; 0 when the system does not provide them.</summary>
    public long Wakes { get; init; }

    public int CollectionsOfGeneration0 { get; init; }

    public int CollectionsOfGeneration2 { get; init; }

    public double PauseSeconds { get; init; }

    /// <summary>Bytes in use at the last full garbage collection; 0 before the first one. Other memory is garbage or free.</summary>
    public long HeldBytes { get; init; }

    /// <summary>Number of the garbage collection that measured <see cref="HeldBytes"/>.</summary>
    public long HeldAtCollection { get; init; }

    /// <summary>Messages accepted into inboxes.</summary>
    public long Accepted { get; init; }

    /// <summary>Messages used by edges.</summary>
    public long Used { get; init; }

    /// <summary>Messages not used, by reason.</summary>
    public SortedDictionary<string, long> Rejected { get; init; } = [];

    /// <summary>Object lists replaced by newer ones before use.</summary>
    public long Superseded { get; init; }

    public long Publications { get; init; }

    public long PublicationsWithoutAList { get; init; }

    public long Frames { get; init; }

    public long Objects { get; init; }

    /// <summary>Messages to devices dropped because a queue was full.</summary>
    public long NotSent { get; init; }

    public long Handovers { get; init; }

    /// <summary>Status reports of devices.</summary>
    public long DeviceReports { get; init; }

    /// <summary>Traffic events that devices reported.</summary>
    public long Events { get; init; }

    /// <summary>Orders that signal controllers have confirmed.</summary>
    public long OrdersAccepted { get; init; }

    /// <summary>Orders that signal controllers refused, or that an edge refused because its queue was full.</summary>
    public long OrdersRefused { get; init; }

    /// <summary>Announcements refused because the inbox of the receiving edge was full.</summary>
    public long HandoversRefused { get; init; }

    /// <summary>Traffic windows closed by regions and the centre.</summary>
    public long WindowsClosed { get; init; }

    /// <summary>Edge windows that arrived after their region had closed that second.</summary>
    public long WindowsLate { get; init; }

    /// <summary>Edge windows dropped because a queue was full or the region did not accept them.</summary>
    public long WindowsRefused { get; init; }

    public int Connections { get; init; }

    public bool IsOverloaded { get; init; }

    /// <summary>Messages waiting in inboxes.</summary>
    public int Waiting { get; init; }

    /// <summary>Work items waiting for a thread.</summary>
    public long PendingWorkItems { get; init; }
}
