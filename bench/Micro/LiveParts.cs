using System.Diagnostics;
using V2XSim.Cli;
using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Fusion;
using V2XSim.Kernel;
using V2XSim.Load;
using V2XSim.Roads.Sites;

namespace V2XSim.Micro;

/// <summary>
/// Where the time of a live edge goes, without broker, grains and threads: the lists of a load test of sixty sites, two sensors at 10 Hz,
/// thirty road users each, decoded, used, published and handed over, with hand-over between the edges.
/// </summary>
internal static class LiveParts
{
    private const int Sites = 60, Sensors = 2, Objects = 30, Rounds = 200, Warm = 60;

    public static int Run(PayloadFormat format)
    {
        GeneratedScenario made = ScenarioGenerator.ZoneOf(Sites, Math.Sqrt(Sites / 300.0), 300, Sites * 90);
        string folder = Directory.CreateTempSubdirectory("v2xsim-parts-").FullName;
        try
        {
            ScenarioGenerator.Write(made, folder);
            using LoadedScenario loaded = ScenarioLoader.Load(folder, 1);
            SitePlan plan = LoadVerb.PlanOf(loaded.Plan, new LoadOptions { Sites = Sites, Sensors = Sensors });
            LoadRecording recording = LoadRecording.Make(loaded.Traffic.Advance, [.. plan.Sites.Select(s => s.Position)], [], Objects, 200, 20);
            var epoch = new UtcEpoch(1_780_272_000_000);
            List<EdgeConfig> edges = EdgePlanner.Plan(loaded.Network, plan, loaded.Scenario, epoch, publishOnData: true);
            var lists = new LoadLists(recording, format, new RandomStreams(1));
            LoadSite[] sites = LoadVerb.SitesOf(plan, loaded.Network);
            Dictionary<string, EdgeCore> cores = edges.ToDictionary(e => e.EdgeId, e => new EdgeCore(e, Trackers.ByName[e.Tracker.Name](e.Tracker, e.Number, null)), StringComparer.Ordinal);
            string[] names = ["decode", "use", "predict", "warn", "leaving", "encode", "expect", "count"];
            long[] ticks = new long[names.Length], bytes = new long[names.Length];
            var leaving = new SortedList<string, List<HandoverRow>>(StringComparer.Ordinal);
            var down = new List<DownPayload>();
            long[] reasons = new long[32];
            long messages = 0, publications = 0, tracks = 0;
            FrameSink sink = (_, _, frame, _) => messages += frame.Length > 0 ? 0 : 1;
            for (int round = 0; round < Rounds; round++)
            {
                if (round == Warm)
                {
                    Array.Clear(ticks);
                    Array.Clear(bytes);
                    (messages, publications, tracks) = (0, 0, 0);
                }

                for (int s = 0; s < plan.Sites.Count; s++)
                {
                    EdgeCore core = cores[plan.Sites[s].EdgeId];
                    for (int sensor = 0; sensor < Sensors; sensor++)
                    {
                        long now = (round * 100_000) + 1_000_000 + (sensor * 50_000), unix = (epoch.StartUnixMilliseconds * 1000) + now;
                        byte[] payload = lists.Write(sites[s], sensor, unix - 20_000, unix).ToArray();
                        var entry = new BatchEntry(sites[s].Device, (int)lists.Kind, 0, payload.Length, round, now, (byte)format);
                        Part(0, () => core.Accept(in entry, payload));
                        Part(1, () => core.Use(new SimTime(now)));
                        Part(7, () => core.CountRows(reasons));
                        messages++;
                        if (sensor < Sensors - 1)
                        {
                            continue;
                        }

                        var at = new SimTime(now);
                        Part(2, () => core.Predict(at));
                        Part(3, () => core.Warn(at, down));
                        leaving.Clear();
                        Part(4, () => core.FindLeaving(at, leaving));
                        core.Answers[sites[s].Device] = format;
                        Part(5, () => core.EncodePublications(at, sink));
                        publications++;
                        tracks += core.Published;
                        down.Clear();
                        foreach ((string neighbour, List<HandoverRow> rows) in leaving)
                        {
                            Part(6, () => cores[neighbour].Expect(rows));
                        }

                        core.CloseWindow(at);
                    }
                }
            }

            Console.WriteLine($"{"part",-10}{"µs a message",14}{"B a message",14}");
            for (int i = 0; i < names.Length; i++)
            {
                Console.WriteLine(FormattableString.Invariant($"{names[i],-10}{ticks[i] * 1e6 / Stopwatch.Frequency / messages,14:0.00}{bytes[i] / (double)messages,14:0}"));
            }

            Console.WriteLine(FormattableString.Invariant($"{"all",-10}{ticks.Sum() * 1e6 / Stopwatch.Frequency / messages,14:0.00}{bytes.Sum() / (double)messages,14:0}"));
            Console.WriteLine(FormattableString.Invariant($"{tracks / (double)publications:0.0} tracks a publication; hand-over {cores.Values.Sum(c => c.Handovers.Adopted)} adopted, {cores.Values.Sum(c => c.Handovers.Dropped)} dropped; used {reasons[0]} of {reasons.Sum()}"));
            return 0;

            void Part(int part, Action work)
            {
                long allocated = GC.GetAllocatedBytesForCurrentThread(), from = Stopwatch.GetTimestamp();
                work();
                ticks[part] += Stopwatch.GetTimestamp() - from;
                bytes[part] += GC.GetAllocatedBytesForCurrentThread() - allocated;
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
