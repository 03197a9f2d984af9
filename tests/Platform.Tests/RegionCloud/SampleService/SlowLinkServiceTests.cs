using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Parquet;
using V2XSim.Contracts;
using V2XSim.Reporting;
using V2XSim.Runs;
using V2XSim.ScenarioFiles;
using V2XSim.Testing;
using Xunit;

namespace V2XSim.Platform.Tests.SampleService;

/// <summary>The recipe "add a region service", followed: rules, service with its row, a line of the catalogue, and this.</summary>
[Collection(Timed.Name)]
public sealed class SlowLinkServiceTests : IDisposable
{
    private const long Second = 1_000_000;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Its_rows_are_a_table_and_its_section_stands_in_the_report_on_one_silo_and_on_two()
    {
        RunReport one = await Run("one", silos: 1), two = await Run("two", silos: 2);

        Assert.Equal(one.RunHash, two.RunHash);
        ServiceSection section = Assert.Single(one.Services!);
        Assert.Equal(("Slow links", "slow_link"), (section.Title, section.Table));
        await using Stream file = File.OpenRead(Path.Combine(_folder["one"], "slow_link.parquet"));
        await using ParquetReader reader = await ParquetReader.CreateAsync(file, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(["region", "time_us", "link", "speed_mps"], reader.Schema.DataFields.Select(f => f.Name));
        Assert.True(section.Rows > 0);
        Assert.Equal(section.Rows, Enumerable.Range(0, reader.RowGroupCount).Sum(g => reader.OpenRowGroupReader(g).RowCount));
        Assert.Contains("<h2>Slow links</h2>", await File.ReadAllTextAsync(Path.Combine(_folder["one"], "report.html"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Contains("slow_link.parquet", await File.ReadAllTextAsync(Path.Combine(_folder["one"], "run.json"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public void A_region_that_goes_on_from_a_checkpoint_gives_the_same_rows_wherever_it_was_taken()
    {
        Serializer serializer = new ServiceCollection().AddSerializer().BuildServiceProvider().GetRequiredService<Serializer>();
        List<IServiceRow> straight = [.. Steps(new TierServices(SampleCatalogue.WithSlowLinks.Region, "R1"), 0, 130)];
        Assert.Contains(straight, r => r is SlowLinkRow);
        Assert.Contains(straight, r => r is TrafficWindow { LengthSeconds: 60 });
        foreach (int at in (int[])[1, 4, 31, 59, 60, 61, 100])
        {
            var first = new TierServices(SampleCatalogue.WithSlowLinks.Region, "R1");
            List<IServiceRow> rows = [.. Steps(first, 0, at)];
            var second = new TierServices(SampleCatalogue.WithSlowLinks.Region, "R1");
            second.Restore(serializer, serializer.Deserialize<TierCheckpoint>(serializer.SerializeToArray(first.Checkpoint(serializer)))!);
            rows.AddRange(Steps(second, at, 130));

            Assert.Equal(straight.Select(OutputOf), rows.Select(OutputOf));
        }

        static string OutputOf(IServiceRow row) => V2XSim.Foundation.OutputText.Json(row);
    }

    /// <summary>Seconds of two edges, posted in an order that changes; a plan is due in second 40.</summary>
    private static IEnumerable<IServiceRow> Steps(TierServices region, int from, int to)
    {
        if (from == 0)
        {
            region.Post(0, [new SignalPlanOrder(40 * Second, "E1", "S1", "J1", "p", 0, Signals.Transition.Dwell, [new PlanPhase(30, "G")])]);
        }

        for (int s = from; s < to; s++)
        {
            EdgeWindow[] windows = [Window("E1", s, s is > 5 and < 70 ? 60 : 1200), Window("E2", s, 900)];
            region.Post(s, s % 2 == 0 ? windows : [.. windows.Reverse()]);
            TierOutput output = region.Step(new TierStep(s + 1, (s + 1) * Second, IsLast: s == to - 1 && to == 130));
            Assert.Equal(s == 39 ? 1 : 0, output.Orders.Count);
            foreach (IServiceRow row in output.Rows)
            {
                yield return row;
            }
        }
    }

    private static EdgeWindow Window(string edge, int second, double speedSum) =>
        new(edge, second * Second, (second + 1) * Second, [new LinkRow(edge == "E1" ? 7 : 8, 100, speedSum, 1, 10, 15, 1000)], 10, 0, 10);

    private async Task<RunReport> Run(string name, int silos)
    {
        using LoadedScenario loaded = ScenarioLoader.Load(Place.Of("scenarios", "crossing"), null);
        await using var run = new SimulationRun(loaded, new RunOptions { OutputFolder = _folder[name], Silos = silos, Services = SampleCatalogue.WithSlowLinks }, TimeProvider.System, 0, null);
        await run.StartAsync(TestContext.Current.CancellationToken);
        return (await run.RunAsync(TestContext.Current.CancellationToken)).Report;
    }
}
