using System.Globalization;
using System.Text;
using System.Text.Json;
using V2XSim.Foundation;
using V2XSim.Reporting;
using V2XSim.ScenarioFiles;

namespace V2XSim.LoadTesting;

/// <summary>What <c>v2xsim plan-edges</c> is asked for.</summary>
public sealed record CapacityOptions
{
    public required int Sites { get; init; }

    public int Sensors { get; init; } = 4;

    public double RateHz { get; init; } = 10;

    public int Objects { get; init; } = 30;

    public PayloadFormat Format { get; init; } = PayloadFormat.Json;

    /// <summary>99 of 100 publications have to be at the roadside this soon after their last message was due.</summary>
    public double BudgetMilliseconds { get; init; } = 20;

    /// <summary>Cores of one edge node.</summary>
    public int Cores { get; init; } = 8;

    /// <summary>Results of load tests at two numbers of objects or more; none measures them now.</summary>
    public IReadOnlyList<string> Results { get; init; } = [];

    public string? OutputFolder { get; init; }

    public bool Force { get; init; }
}

/// <summary>How many edge nodes and cores a network needs to hold a latency budget, from measured cost.</summary>
public sealed class CapacityStudy(TextWriter output, TextWriter error, TimeProvider clock)
{
    private const string ResultFile = "edge-plan.json", PageFile = "edge-plan.html";

    /// <summary>Share of its cores that a node may use at most even if the budget held beyond it: loads are not even, and nodes fail.</summary>
    private const double Prudence = 0.7;

    /// <summary>A larger network is not generated to measure.</summary>
    private const int MostSites = 600;

    public async Task<int> RunAsync(CapacityOptions options, bool json, CancellationToken cancellation)
    {
        if (options.OutputFolder is { } folder)
        {
            OutputFile.RefuseToOverwrite(Path.Combine(folder, ResultFile), options.Force);
        }

        List<LoadResult> results = options.Results.Count > 0 ? [.. options.Results.Select(r => Read(r, options.Format))] : await MeasureAsync(options, cancellation);
        EdgeCost cost = Cost(results, options.BudgetMilliseconds);
        List<CapacityRow> rows = Rows(options, cost);
        CapacityCheck? check = options.Results.Count > 0 ? null : await CheckAsync(options, cost, cancellation);
        var plan = new CapacityPlan
        {
            Asked = options,
            Cost = cost,
            Rows = rows,
            Measured = [.. results.Select(r => new CapacityPoint(r.ObjectsPerMessage, r.OfferedPerSecond, r.CpuMicrosecondsPerMessage!.Value, r.Edge.P99Ms, IsKept(r, options.BudgetMilliseconds)))],
            MeasuredOnProcessors = [.. results.Select(r => r.Processors).Distinct().Order()],
            Check = check,
        };
        if (options.OutputFolder is { } to)
        {
            Directory.CreateDirectory(to);
            await File.WriteAllTextAsync(Path.Combine(to, ResultFile), OutputText.Json(plan) + "\n", cancellation);
            await File.WriteAllTextAsync(Path.Combine(to, PageFile), Page(plan), cancellation);
        }

        await output.WriteLineAsync(json ? OutputText.Json(plan) : Text(plan));
        return check is { IsWithinBudget: false } ? ExitCodes.ComparisonFailed : ExitCodes.Done;
    }

    /// <summary>
    /// The cost of messages and objects, and how full a node may be: as full as the fullest measurement that kept the budget. At a higher rate a
    /// message is cheaper, because several come with one change of threads: results at one rate tell the cost of an object beside that of a message,
    /// and the one that was as full as a node may be tells how much both are there.
    /// </summary>
    public static EdgeCost Cost(IReadOnlyList<LoadResult> results, double budgetMilliseconds)
    {
        LoadResult[] kept = [.. results.Where(r => IsKept(r, budgetMilliseconds))];
        double share = Math.Min(Prudence, kept.Select(Share).DefaultIfEmpty(0).Max());
        IGrouping<double, LoadResult>? comparable = results.GroupBy(r => Math.Round(r.OfferedPerSecond)).Where(g => g.Select(r => Math.Round(r.ObjectsPerMessage)).Distinct().Count() > 1).MaxBy(g => g.Key);
        EdgeCost cost = EdgeCost.Fit([.. (comparable ?? (IEnumerable<LoadResult>)results).Select(r => (r.ObjectsPerMessage, r.CpuMicrosecondsPerMessage!.Value))], share);
        double factor = kept.MinBy(r => Math.Abs(Share(r) - share)) is { } full && cost.Of(full.ObjectsPerMessage) is > 0 and var fitted ? full.CpuMicrosecondsPerMessage!.Value / fitted : 1;
        return cost with { MicrosecondsPerMessage = cost.MicrosecondsPerMessage * factor, MicrosecondsPerObject = cost.MicrosecondsPerObject * factor };
    }

    private static bool IsKept(LoadResult result, double budgetMilliseconds) => result.HasLostNothing() && result.Edge.P99Ms <= budgetMilliseconds;

    /// <summary>Share of the machine's cores that broker and edges used.</summary>
    private static double Share(LoadResult result) => (result.CoresUsed ?? 0) / result.Processors;

    /// <summary>Nodes for the network that was asked for, and for smaller and larger ones.</summary>
    public static List<CapacityRow> Rows(CapacityOptions options, EdgeCost cost)
    {
        if (cost.MostCoresUsedShare <= 0)
        {
            throw new BadInputException("command line", "--budget", "no measurement without losses met the budget", "give a larger budget, or measure at lower rates");
        }

        double ofSite = options.Sensors * options.RateHz * cost.Of(options.Objects) / 1e6, ofNode = options.Cores * cost.MostCoresUsedShare;
        double sitesOfNode = Math.Floor((ofNode / ofSite) + 1e-9);
        if (sitesOfNode < 1)
        {
            throw new BadInputException("command line", "--cores", string.Create(CultureInfo.InvariantCulture, $"one site needs {ofSite:0.00} cores, but only {ofNode:0.00} of a node's {options.Cores} cores may be used"), "plan with larger nodes, or with fewer lists per site");
        }

        return [.. new[] { 0.25, 0.5, 1, 2, 4 }.Select(factor => Math.Max(1, (int)Math.Round(options.Sites * factor))).Distinct().Select(sites =>
        {
            // A site belongs to one node.
            int nodes = Math.Max(1, (int)Math.Ceiling(sites / sitesOfNode));
            return new CapacityRow(sites, sites * options.Sensors * options.RateHz, sites * ofSite, nodes, sites / (double)nodes);
        })];
    }

    /// <summary>Two numbers of objects at a rate that the machine carries; then more messages until the budget does not hold, or the machine is as full as a node may be.</summary>
    private async Task<List<LoadResult>> MeasureAsync(CapacityOptions options, CancellationToken cancellation)
    {
        const double MessagesPerCore = 3000, FewestPerCore = 300, Growth = 1.4;
        int few = Math.Max(1, options.Objects / 3);
        double rate = MessagesPerCore * Environment.ProcessorCount;
        LoadResult many = await LoadAsync(options, options.Objects, rate, cancellation);
        while (!IsKept(many, options.BudgetMilliseconds))
        {
            rate /= 2;
            if (rate < FewestPerCore * Environment.ProcessorCount)
            {
                throw new BadInputException("command line", "--budget", $"at {many.OfferedPerSecond:0} messages/s p99 was {many.Edge.P99Ms:0.0} ms and {many.Lost} were lost{(many.Valid ? string.Empty : "; " + string.Join("; ", many.Invalid))}", "give a larger budget, or measure on an idle machine");
            }

            many = await LoadAsync(options, options.Objects, rate, cancellation);
        }

        List<LoadResult> results = [await LoadAsync(options, few, rate, cancellation), many];
        while (IsKept(results[^1], options.BudgetMilliseconds) && Share(results[^1]) < Prudence)
        {
            rate *= Growth;
            results.Add(await LoadAsync(options, options.Objects, rate, cancellation));
        }

        return results;
    }

    private async Task<CapacityCheck> CheckAsync(CapacityOptions options, EdgeCost cost, CancellationToken cancellation)
    {
        // Nearly as full as this machine may be by the plan, at the objects and the rate that were asked for.
        const double Full = 0.9;
        double perSite = options.Sensors * options.RateHz * cost.Of(options.Objects) / 1e6;
        int sites = Math.Clamp((int)(Full * Environment.ProcessorCount * cost.MostCoresUsedShare / perSite), 1, MostSites);
        LoadResult result = await LoadAsync(options, options.Objects, sites * options.Sensors * options.RateHz, cancellation);
        return new CapacityCheck(result.Sites, result.OfferedPerSecond, result.ObjectsPerMessage, result.OfferedPerSecond * cost.Of(result.ObjectsPerMessage) / 1e6, result.CoresUsed ?? double.NaN, result.Edge.P99Ms, IsKept(result, options.BudgetMilliseconds));
    }

    /// <summary>A rate of messages from as many sites as send it at the requested rate: a site that sends more often costs less per message.</summary>
    private async Task<LoadResult> LoadAsync(CapacityOptions options, int objects, double messagesPerSecond, CancellationToken cancellation)
    {
        int sites = (int)Math.Clamp(Math.Round(messagesPerSecond / (options.Sensors * options.RateHz)), 1, MostSites);
        double rate = messagesPerSecond / (sites * options.Sensors);
        var written = new StringWriter(CultureInfo.InvariantCulture);
        await new LoadConductor(written, error, clock).RunAsync(
            new LoadOptions { Sites = sites, Sensors = options.Sensors, RateHz = rate, Objects = objects, Format = options.Format, DurationSeconds = 8, WarmupSeconds = 4 }, json: true, cancellation);
        cancellation.ThrowIfCancellationRequested();
        return JsonSerializer.Deserialize<LoadResult>(written.ToString(), OutputText.JsonOptions)!;
    }

    private static LoadResult Read(string path, PayloadFormat format)
    {
        try
        {
            string file = Directory.Exists(path) ? Path.Combine(path, LoadPages.ResultFile) : path;
            LoadResult result = JsonSerializer.Deserialize<LoadResult>(ScenarioLoader.ReadText(ScenarioLoader.Existing(file)), OutputText.JsonOptions)!;
            if (!string.Equals(result.Format, format.ToString(), StringComparison.OrdinalIgnoreCase))
            {
                throw new BadInputException(path, "--format", $"this result was measured with '{result.Format}', but the plan is for {format.ToString().ToLowerInvariant()}", "give results in the plan's format, or change --format");
            }

            if (result.ClockSpeed != 1)
            {
                throw new BadInputException(path, "--results", "it was measured with --clock-speed, so its latencies cannot be compared with a budget", "measure without --clock-speed");
            }

            return result.Valid && result.CpuMicrosecondsPerMessage is not null && result.Processors > 0 ? result
                : throw new BadInputException(path, "--results", "the result is invalid, or has no cost per message or number of processors", "use valid results of 'v2xsim load' with V2XSim's edges, or with --watch");
        }
        catch (JsonException e)
        {
            throw new BadInputException(path, "--results", $"the file is not a load-test result: {e.Message}", "give load.json of 'v2xsim load --out', or the output of --json");
        }
    }

    private static string Text(CapacityPlan plan)
    {
        var text = new StringBuilder();
        text.Append(Say($"cost             {plan.Cost.MicrosecondsPerMessage:0.0} µs a message + {plan.Cost.MicrosecondsPerObject:0.00} µs an object; {plan.Cost.Of(plan.Asked.Objects):0.0} µs with {plan.Asked.Objects} objects, {plan.Asked.Format.ToString().ToLowerInvariant()}\n"));
        text.Append(Say($"how full         p99 keeps to {plan.Asked.BudgetMilliseconds:0.#} ms up to {plan.Cost.MostCoresUsedShare * 100:0} % of a node's cores, as measured on {string.Join(", ", plan.MeasuredOnProcessors)}\n\n"));
        text.Append(Say($"{"sites",8}{"messages/s",12}{"cores",8}{"nodes",8}{"sites/node",12}   nodes of {plan.Asked.Cores} cores\n"));
        foreach (CapacityRow row in plan.Rows)
        {
            text.Append(Say($"{row.Sites,8}{row.MessagesPerSecond,12:0}{row.CoresNeeded,8:0.00}{row.Nodes,8}{row.SitesPerNode,12:0.0}{(row.Sites == plan.Asked.Sites ? "   ← asked for" : string.Empty)}\n"));
        }

        if (plan.Check is { } check)
        {
            text.Append(Say($"\ncheck            {check.Sites} sites, {check.MessagesPerSecond:0} messages/s: {check.ForetoldCores:0.00} cores foretold, {check.MeasuredCores:0.00} measured; p99 {check.P99Ms:0.0} ms, {(check.IsWithinBudget ? "within the budget" : "BEYOND the budget")}\n"));
        }

        return text.ToString().TrimEnd();
    }

    private static string Page(CapacityPlan plan) =>
        $"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Edge nodes</title><link rel=\"icon\" href=\"data:,\"><style>{PageAssets.TextPageStyle}</style></head><body><main><h1>Edge nodes for a network</h1><pre>{System.Net.WebUtility.HtmlEncode(Text(plan))}</pre><h2>Cores and nodes over the size of the network</h2>"
        + Waterfall.Lines("sites", string.Empty, [("cores", [.. plan.Rows.Select(r => ((double)r.Sites, r.CoresNeeded))]), ("nodes", [.. plan.Rows.Select(r => ((double)r.Sites, (double)r.Nodes))])])
        + "</main></body></html>\n";

    private static string Say(FormattableString text) => FormattableString.Invariant(text);
}
