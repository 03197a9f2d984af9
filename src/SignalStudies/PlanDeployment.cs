using System.Buffers;
using System.Globalization;
using System.Text;
using V2XSim.Foundation;
using V2XSim.MessageTools;
using V2XSim.Messages;
using V2XSim.Messages.Its0180;
using V2XSim.Mqtt;
using V2XSim.Roads;
using V2XSim.Roads.Sites;
using V2XSim.ScenarioFiles;
using V2XSim.Scenarios;
using V2XSim.Signals;

namespace V2XSim.SignalStudies;

/// <summary>What <c>signals deploy</c> is asked for.</summary>
public sealed record DeployOptions
{
    /// <summary>Says which unit stands at which signal.</summary>
    public required string Scenario { get; init; }

    public required string Plan { get; init; }

    public required BrokerAddress Broker { get; init; }

    public required Transition Transition { get; init; }

    /// <summary>How long controllers have to confirm.</summary>
    public required TimeSpan Patience { get; init; }

    /// <summary>Whether the plan is only checked, and nothing is sent.</summary>
    public bool DryRun { get; init; }
}

/// <summary><c>signals deploy</c>: sends a plan to the signals' controllers over MQTT, and waits until each has said that it takes it.</summary>
public sealed class PlanDeployment(TextWriter output, TextWriter error, TimeProvider clock)
{
    /// <exception cref="BadInputException">The plan breaks a safety rule, or has a signal at which no unit stands.</exception>
    /// <exception cref="BrokerUnavailableException">The broker does not answer.</exception>
    public async Task<int> DeployAsync(DeployOptions o, bool json, CancellationToken cancellation)
    {
        (string file, Scenario scenario, SimulationSection simulate) = ScenarioLoader.ReadSimulated(o.Scenario, needsSites: true);
        RoadNetwork network = ScenarioLoader.ReadNetwork(file, scenario);
        SitePlan sites = ScenarioLoader.ReadSites(file, scenario, network);
        var orders = new List<Order>();
        var problems = new List<Problem>();
        IReadOnlyList<SignalLogic> plan = PlanSignals.Of(file, network, simulate, o.Plan).Own;
        foreach (IGrouping<string, SignalLogic> several in plan.GroupBy(p => p.Id, StringComparer.Ordinal).Where(g => g.Count() > 1))
        {
            problems.Add(new Problem(o.Plan, 0, 0, $"tlLogic {several.Key}", $"the plan has {several.Count()} programmes for this signal: {string.Join(", ", several.Select(p => p.ProgrammeId))}", "keep one of them"));
        }

        foreach (SignalLogic programme in plan)
        {
            if (ScenarioLoader.UnitAt(sites, programme, o.Plan, out Problem? nobody) is not { } site)
            {
                problems.Add(nobody!);
                continue;
            }

            problems.AddRange(SignalSafety.Violations(programme, SignalConflicts.Of(network, programme.Id), new SafetyRules()).Select(v => new Problem(o.Plan, 0, 0, $"tlLogic {programme.Id}", v, "correct the plan")));
            orders.Add(new Order(site.Id, programme, clock.GetUtcNow().ToUnixTimeMilliseconds() + orders.Count));
        }

        // All or nothing: half a plan on the street is worse than none.
        if (problems.Count > 0)
        {
            throw new BadInputException(problems);
        }

        if (!o.DryRun)
        {
            await SendAsync(o, orders, cancellation);
        }

        if (json)
        {
            await output.WriteLineAsync(OutputText.Json(new DeployResult(o.Plan, [.. orders.Select(r => new DeployedSignal(r.Programme.Id, r.Device, r.Programme.ProgrammeId, r.Programme.OffsetSeconds, r.StateName(o.DryRun), r.Reasons))])));
        }
        else
        {
            await output.WriteLineAsync("signal               unit     programme        offset s  state");
            foreach (Order r in orders)
            {
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{r.Programme.Id,-20} {r.Device,-8} {r.Programme.ProgrammeId,-14} {r.Programme.OffsetSeconds,10:0.##}  {r.StateName(o.DryRun)}{string.Concat(r.Reasons.Select(reason => "; " + reason))}"));
            }
        }

        if (o.DryRun || orders.TrueForAll(r => r.IsAccepted == true))
        {
            return ExitCodes.Done;
        }

        return orders.Exists(r => r.IsAccepted == false)
            ? ExitCodes.ComparisonFailed
            : throw new BrokerUnavailableException(string.Create(CultureInfo.InvariantCulture, $"{orders.Count(r => r.IsAccepted is null)} of {orders.Count} controllers did not confirm within {o.Patience.TotalSeconds:0.#} s; are they connected to {o.Broker}?"));
    }

    private async Task SendAsync(DeployOptions o, List<Order> orders, CancellationToken cancellation)
    {
        // Orders are repeated by the same outbox as an edge's: a controller that connects late receives them too, and knows them by their number.
        var outbox = new Outbox();
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var open = new Lock();
        int missing = orders.Count;
        await using ReconnectingConnection connection = await ReconnectingConnection.ConnectAsync(
            new ClientSettings(o.Broker, $"{o.Broker.User ?? "v2xsim"}-deploy-{Environment.ProcessId}") { Filters = [.. orders.Select(r => Topics.Of(Topics.AckOf(TopicKind.PlanDown), r.Device)).Distinct(StringComparer.Ordinal)] },
            clock,
            cancellation,
            args =>
            {
                var payloads = new WirePayload();
                if (payloads.Read(PayloadCatalogue.Ack, args.ApplicationMessage.Payload.ToArray(), out WireMessage ack).IsValid)
                {
                    lock (open)
                    {
                        if (orders.Find(r => r.Number == ack.SequenceNumber && r.IsAccepted is null) is { } order)
                        {
                            order.IsAccepted = ack.Integer("errorCode") == 0;
                            order.Reasons = order.IsAccepted == true ? [] : [.. ack.Texts("errorList").DefaultIfEmpty(ack.Text("errorDesc"))];
                            outbox.Confirm(TopicKind.PlanDown, order.Device, order.Number, -1);
                            if (--missing == 0)
                            {
                                all.TrySetResult();
                            }
                        }
                    }
                }

                return Task.CompletedTask;
            });
        long started = clock.GetTimestamp();
        foreach (Order order in orders)
        {
            WireMessage message = order.Message(clock.GetUtcNow(), o.Transition);
            if (!outbox.Add(TopicKind.PlanDown, order.Device, order.Number, Encoding.UTF8.GetBytes(new WirePayload().Text(message)), message.TimeStamp, SimTime.Zero))
            {
                throw new BadInputException(o.Plan, "tlLogic", $"the plan has more than {Outbox.MaximumItems} signals", "deploy it in parts");
            }
        }

        do
        {
            SimTime now = Now();
            List<OutboxItem> due;
            TimeSpan wait;
            lock (open)
            {
                due = [.. outbox.Due(now)];
                wait = outbox.Count > 0 && outbox.NextDue > now ? outbox.NextDue - now : TimeSpan.Zero;
            }

            foreach (OutboxItem item in due)
            {
                await connection.PublishAsync(CommandSender.Numbered(Topics.Of(item.Kind, item.Device), item.Payload, PayloadFormat.Json, item.Sequence, retain: false), cancellation);
            }

            await error.WriteLineAsync($"{orders.Count(r => r.IsAccepted is null)} of {orders.Count} signals are still to confirm");
            TimeSpan left = o.Patience - clock.GetElapsedTime(started);
            await Task.WhenAny(all.Task, Task.Delay(wait < left ? wait : left > TimeSpan.Zero ? left : TimeSpan.Zero, clock, cancellation));
            cancellation.ThrowIfCancellationRequested();
        }
        while (!all.Task.IsCompleted && clock.GetElapsedTime(started) < o.Patience);

        SimTime Now() => new((long)clock.GetElapsedTime(started).TotalMicroseconds);
    }

    private sealed class Order(string device, SignalLogic programme, long number)
    {
        public string Device => device;

        public SignalLogic Programme => programme;

        public long Number => number;

        public bool? IsAccepted { get; set; }

        public IReadOnlyList<string> Reasons { get; set; } = [];

        public string StateName(bool isDryRun) => isDryRun ? "may be sent" : IsAccepted switch { true => "accepted", false => "refused", _ => "not confirmed" };

        public WireMessage Message(DateTimeOffset now, Transition transition) => SignalPlanMessage.Of(
                now.ToUnixTimeMilliseconds(), device, programme.Id, programme.ProgrammeId, programme.OffsetSeconds, transition == Transition.Dwell ? 1 : 2, programme.Phases.Select(p => (p.State, p.DurationSeconds)))
            .With("seqNum", number)
            .With("ack", true);
    }
}

/// <summary>What <c>signals deploy --json</c> prints.</summary>
public sealed record DeployResult(string Plan, IReadOnlyList<DeployedSignal> Signals);

/// <summary>What became of the order to a signal.</summary>
/// <param name="State">accepted, refused, not confirmed, or may be sent when nothing was.</param>
/// <param name="Reasons">Each thing that the controller holds against it.</param>
public sealed record DeployedSignal(string Signal, string Unit, string Programme, double OffsetSeconds, string State, IReadOnlyList<string> Reasons);
