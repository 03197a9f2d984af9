using System.Diagnostics;
using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Hosting;
using V2XSim.LoadTesting;
using V2XSim.Roads.Sites;
using V2XSim.ScenarioFiles;
using V2XSim.Tracking;

namespace V2XSim.Micro;

/// <summary>
/// Time and allocation of each part of a live edge, without broker, grains and threads. The input is that of a load test: two sensors per
/// site at 10 Hz, with thirty road users per list. Lists are decoded, used and published, with hand-over between the edges.
/// </summary>
internal sealed class LiveParts
{
    private const int Sensors = 2, Objects = 30;
    private static readonly string[] Names = ["decode", "use", "predict", "warn", "leaving", "encode", "expect", "count"];
    private readonly UtcEpoch _epoch = new(1_780_272_000_000);
    private readonly SortedList<string, List<HandoverRow>> _leaving = new(StringComparer.Ordinal);
    private readonly List<DownPayload> _down = [];
    private readonly long[] _ticks = new long[Names.Length];
    private readonly long[] _bytes = new long[Names.Length];
    private readonly long[] _reasons = new long[32];
    private readonly Dictionary<string, EdgeCore> _cores;
    private readonly PayloadFormat _format;
    private readonly LoadLists _lists;
    private readonly LoadSite[] _sites;
    private readonly SitePlan _plan;
    private readonly FrameSink _sink = (_, _, _, _) => { };
    private long _round;
    private long _messages;
    private long _publications;
    private long _tracks;

    private LiveParts(PayloadFormat format, int sites)
    {
        _format = format;
        GeneratedScenario made = ScenarioGenerator.ZoneOf(sites, Math.Sqrt(sites / 300.0), 300, sites * 90);
        string folder = Directory.CreateTempSubdirectory("v2xsim-parts-").FullName;
        try
        {
            ScenarioGenerator.Write(made, folder);
            using LoadedScenario loaded = ScenarioLoader.Load(folder, 1);
            _plan = LoadPreparation.PlanOf(loaded.Plan, new LoadOptions { Sites = sites, Sensors = Sensors });
            LoadRecording recording = LoadRecording.Make(loaded.Traffic.Advance, [.. _plan.Sites.Select(s => s.Position)], [], Objects, 200, 20);
            List<EdgeConfig> edges = EdgeConfigurator.Plan(loaded.Network, _plan, loaded.Scenario, _epoch, publishOnData: true);
            _lists = new LoadLists(recording, format, new RandomStreams(1));
            _sites = LoadPreparation.SitesOf(_plan, loaded.Network);
            _cores = edges.ToDictionary(e => e.EdgeId, e => new EdgeCore(e, Trackers.ByName[e.Tracker.Name](e.Tracker, e.Number, null)), StringComparer.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private double MicrosecondsPerMessage => _ticks.Sum() * 1e6 / Stopwatch.Frequency / _messages;

    /// <summary>Prints the cost of each part at sixty sites.</summary>
    public static int Run(PayloadFormat format)
    {
        const int Sites = 60, Rounds = 140, Warm = 60;
        var parts = new LiveParts(format, Sites);
        parts.Measure(Warm, Rounds);
        Console.WriteLine($"{"part",-10}{"µs per msg",14}{"B per msg",14}");
        for (int i = 0; i < Names.Length; i++)
        {
            Console.WriteLine(FormattableString.Invariant($"{Names[i],-10}{parts._ticks[i] * 1e6 / Stopwatch.Frequency / parts._messages,14:0.00}{parts._bytes[i] / (double)parts._messages,14:0}"));
        }

        Console.WriteLine(FormattableString.Invariant($"{"all",-10}{parts.MicrosecondsPerMessage,14:0.00}{parts._bytes.Sum() / (double)parts._messages,14:0}"));
        Console.WriteLine(FormattableString.Invariant($"{parts._tracks / (double)parts._publications:0.0} tracks per publication; hand-over {parts._cores.Values.Sum(c => c.Handovers.Adopted)} adopted, {parts._cores.Values.Sum(c => c.Handovers.Dropped)} dropped; used {parts._reasons[0]} of {parts._reasons.Sum()}"));
        return 0;
    }

    /// <summary>Prints the median cost of a message for 75 to 600 sites, from alternating blocks with equal numbers of messages.</summary>
    public static int CompareSites()
    {
        const int Largest = 600, Blocks = 21;
        int[] counts = [75, 150, 300, Largest];
        LiveParts[] all = [.. counts.Select(c => new LiveParts(PayloadFormat.Json, c))];
        var costs = counts.Select(_ => new List<double>()).ToArray();
        foreach (LiveParts parts in all)
        {
            parts.Drive(60);
        }

        for (int block = 0; block < Blocks; block++)
        {
            for (int i = 0; i < all.Length; i++)
            {
                // The warm-up round reloads the processor's caches after the other variants.
                all[i].Measure(1, 8 * Largest / counts[i]);
                costs[i].Add(all[i].MicrosecondsPerMessage);
            }
        }

        double[] medians = [.. costs.Select(c => c.Order().ElementAt(Blocks / 2))];
        Console.WriteLine($"{"sites",-10}{"µs per msg",14}{"of the mean",14}");
        for (int i = 0; i < all.Length; i++)
        {
            Console.WriteLine(FormattableString.Invariant($"{counts[i],-10}{medians[i],14:0.00}{medians[i] / medians.Average(),14:0.00}"));
        }

        return 0;
    }

    /// <summary>
    /// Prints the memory of the edges of sixty sites every five minutes for 45 minutes: bytes in use after a full garbage collection, and
    /// long-lived garbage before it, which only a full collection frees. With DOTNET_GCgen0size=0xA000000, generation-0 collections are
    /// as frequent in event time as on a platform with 300 sites.
    /// </summary>
    public static int Hold()
    {
        const int Minutes = 45, Step = 5, RoundsPerMinute = 600;
        var parts = new LiveParts(PayloadFormat.Json, 60);
        Console.WriteLine($"{"minute",-10}{"MB held",14}{"MB garbage",14}{"gen 0 collections",20}");
        for (int minute = Step; minute <= Minutes; minute += Step)
        {
            int collections = GC.CollectionCount(0);
            parts.Drive(Step * RoundsPerMinute);
            collections = GC.CollectionCount(0) - collections;
            double before = LongLived();
            double held = GC.GetTotalMemory(forceFullCollection: true) / PlatformSnapshot.BytesPerMegabyte;
            Console.WriteLine(FormattableString.Invariant($"{minute,-10}{held,14:0.00}{before - LongLived(),14:0.00}{collections,20}"));
        }

        return 0;

        static double LongLived()
        {
            GCGenerationInfo generation = GC.GetGCMemoryInfo(GCKind.Any).GenerationInfo[2];
            return (generation.SizeAfterBytes - generation.FragmentationAfterBytes) / PlatformSnapshot.BytesPerMegabyte;
        }
    }

    /// <summary>Processes some periods as a warm-up, then measures further periods.</summary>
    private void Measure(int warm, int rounds)
    {
        Drive(warm);
        Array.Clear(_ticks);
        Array.Clear(_bytes);
        (_messages, _publications, _tracks) = (0, 0, 0);
        Drive(rounds);
    }

    /// <summary>Processes all lists of a number of periods.</summary>
    private void Drive(int rounds)
    {
        for (long end = _round + rounds; _round < end; _round++)
        {
            for (int s = 0; s < _plan.Sites.Count; s++)
            {
                EdgeCore core = _cores[_plan.Sites[s].EdgeId];
                for (int sensor = 0; sensor < Sensors; sensor++)
                {
                    Bring(core, s, sensor);
                }
            }
        }
    }

    private void Bring(EdgeCore core, int site, int sensor)
    {
        long now = (_round * 100_000) + 1_000_000 + (sensor * 50_000), unix = (_epoch.StartUnixMilliseconds * 1000) + now;
        byte[] payload = _lists.Write(_sites[site], sensor, unix - 20_000, unix).ToArray();
        var at = new SimTime(now);
        string device = _sites[site].Device;
        var entry = new BatchEntry(device, _lists.Kind, 0, payload.Length, _round, now, _format);
        Part(0, () => core.Accept(in entry, payload));
        Part(1, () => core.Use(at));
        Part(7, () => core.CountRows(_reasons));
        _messages++;
        if (sensor < Sensors - 1)
        {
            return;
        }

        Part(2, () => core.Predict(at));
        Part(3, () => core.Warn(at, _down));
        _leaving.Clear();
        Part(4, () => core.FindLeaving(at, _leaving));
        core.Answers[device] = _format;
        Part(5, () => core.EncodePublications(at, _sink));
        _publications++;
        _tracks += core.Published;
        _down.Clear();
        foreach ((string neighbour, List<HandoverRow> rows) in _leaving)
        {
            Part(6, () => _cores[neighbour].Expect(rows));
        }

        core.CloseWindow(at);
    }

    private void Part(int part, Action work)
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread(), from = Stopwatch.GetTimestamp();
        work();
        _ticks[part] += Stopwatch.GetTimestamp() - from;
        _bytes[part] += GC.GetAllocatedBytesForCurrentThread() - allocated;
    }
}
