using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using CsCheck;
using MQTTnet;
using MQTTnet.Packets;
using Microsoft.Extensions.Time.Testing;
using V2XSim.Contracts;
using V2XSim.EdgeNode;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Mqtt;
using V2XSim.Roads;
using V2XSim.Tracking;
using V2XSim.Tracking.Edge;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>What an edge and its intake do with messages, without a broker or a silo.</summary>
public class EdgeTests
{
    private static readonly MapProjection Projection = MapProjection.CentredOn(new GeoPoint(116.506, 39.795));
    private static readonly UtcEpoch Epoch = new(1_780_272_000_000);
    private static readonly SensorProfile Lidar = new("S1-1", default, 0, Math.PI, 150, 0.1, 0.002, 0.95, 0.1);

    [Fact]
    public void What_three_scans_report_is_published_to_the_road_in_the_fourth()
    {
        EdgeCore edge = Edge();
        var down = new List<DownPayload>();
        for (int k = 1; k <= 4; k++)
        {
            Accept(edge, Participants(k * 0.1, (10 + k, 5)), k * 0.1 + 0.03, k);
            edge.Fuse(SimTime.FromSeconds((k + 1) * 0.1));
        }

        edge.EncodePublications(SimTime.FromSeconds(0.5), down);

        DownPayload rsm = Assert.Single(down);
        Assert.Equal("rsu/S1/rsm/down", rsm.Topic);
        JsonElement participant = JsonDocument.Parse(rsm.Bytes).RootElement.GetProperty("rsmFrame").GetProperty("participants")[0];

        // 10 m/s for 0.1 s beyond the last scan, in 0.02 m/s and 10⁻⁷ degrees.
        Assert.InRange(participant.GetProperty("speed").GetInt32(), 350, 650);
        Assert.Equal(15, participant.GetProperty("pos").GetProperty("offsetLL").GetProperty("position-LL4").GetProperty("lon").GetInt32() * 1e-7 * 85_400, 1.0);
        Assert.Equal(4, edge.TakeRows().Count(r => r.Reason == RejectReason.None));
    }

    [Fact]
    public void Thirty_objects_are_two_frames_of_sixteen_and_fourteen()
    {
        EdgeCore edge = Edge();
        (double, double)[] parked = [.. Enumerable.Range(0, 30).Select(i => (-70.0 + (5 * i), 4.0))];
        for (int k = 1; k <= 4; k++)
        {
            Accept(edge, Participants(k * 0.1, parked), k * 0.1, k);
            edge.Fuse(SimTime.FromSeconds(k * 0.1));
        }

        var down = new List<DownPayload>();
        edge.EncodePublications(SimTime.FromSeconds(0.4), down);

        Assert.Equal([16, 14], down.Select(d => DownMessages.CountIn(d.Bytes)));
    }

    [Fact]
    public void Messages_are_used_in_order_of_arrival_device_and_sequence_whatever_order_they_come_in_by() =>
        Gen.Int[0, int.MaxValue].Sample(seed =>
        {
            var scans = Enumerable.Range(1, 12).Select(k => (Payload: Participants(k * 0.05, (k * 0.5, 0), (40, -3)), Arrival: (k * 0.05) + (0.01 * (k % 3)), Sequence: k)).ToArray();
            EdgeCore ordered = Edge(), shuffled = Edge();
            foreach (var s in scans)
            {
                Accept(ordered, s.Payload, s.Arrival, s.Sequence);
            }

            var random = new RandomStream((ulong)seed);
            foreach (var s in scans.OrderBy(_ => random.NextUInt64()))
            {
                Accept(shuffled, s.Payload, s.Arrival, s.Sequence);
            }

            ordered.Fuse(SimTime.FromSeconds(0.7));
            shuffled.Fuse(SimTime.FromSeconds(0.7));
            Assert.Equal(ordered.Tracks(), shuffled.Tracks());
            Assert.Equal(ordered.TakeRows(), shuffled.TakeRows());
        }, iter: 100);

    [Fact]
    public void A_message_whose_arrival_is_still_to_come_waits_and_is_counted_as_in_flight()
    {
        EdgeCore edge = Edge();
        Accept(edge, Participants(0.1, (5, 5)), arrival: 0.25, sequence: 0);

        edge.Fuse(SimTime.FromSeconds(0.2));
        Assert.Equal(1, edge.Waiting);
        Assert.Empty(edge.TakeRows());

        edge.Fuse(SimTime.FromSeconds(0.3));
        Assert.Equal(0, edge.Waiting);
        Assert.Equal(250_000, Assert.Single(edge.TakeRows()).ArrivalMicroseconds);
    }

    [Theory]
    [InlineData("{", RejectReason.MalformedJson)]
    [InlineData("{\"timeStamp\":1780272000100,\"rscuSn\":\"S2\",\"ptcList\":[]}", RejectReason.DeviceMismatch)]
    [InlineData("{\"timeStamp\":1780272000100,\"rscuSn\":\"S1\",\"sensorSn\":\"S9-9\",\"ptcList\":[]}", RejectReason.UnknownSensor)]
    [InlineData("{\"timeStamp\":1780272009100,\"rscuSn\":\"S1\",\"ptcList\":[]}", RejectReason.FromTheFuture)]
    [InlineData("{\"timeStamp\":1780272000100,\"rscuSn\":\"S1\",\"ptcList\":[]}", RejectReason.None)]
    public void Every_message_leaves_a_row_with_its_reason(string json, RejectReason reason)
    {
        EdgeCore edge = Edge();
        byte[] bytes = Encoding.UTF8.GetBytes(json);
        edge.Accept(new BatchEntry("S1", TopicKind.ParticipantUp, 0, bytes.Length, 3, 120_000), bytes);
        edge.Fuse(SimTime.FromSeconds(0.2));

        MessageRow row = Assert.Single(edge.TakeRows());
        Assert.Equal((reason, "S1", 3L), (row.Reason, row.Device, row.Sequence));
    }

    [Fact]
    public void A_scan_older_than_the_horizon_is_too_late_and_is_counted()
    {
        EdgeCore edge = Edge();
        Accept(edge, Participants(2.0, (5, 5)), 2.05, 0);
        Accept(edge, Participants(1.0, (4, 5)), 2.06, 1);
        edge.Fuse(SimTime.FromSeconds(2.1));

        Assert.Equal([RejectReason.None, RejectReason.TooLate], edge.TakeRows().Select(r => r.Reason));
    }

    [Fact]
    public void Lamps_are_remembered_by_junction()
    {
        EdgeCore edge = Edge();
        var lamps = new LampMessage { TimestampUnixMilliseconds = Epoch.StartUnixMilliseconds + 100, Device = "S1", Junction = "J7" };
        lamps.Lamps.Add(new Lamp(1, 5, 10, 7, 3));
        var json = new JsonBuffer();
        LampCodec.Encode(lamps, json);

        edge.Accept(new BatchEntry("S1", TopicKind.LampUp, 0, json.Length, 0, 110_000), json.Written);
        edge.Fuse(SimTime.FromSeconds(0.2));

        Assert.Equal(new Lamp(1, 5, 10, 7, 3), Assert.Single(edge.LampStates["J7"]));
        Assert.Equal(TopicKind.LampUp, Assert.Single(edge.TakeRows()).Kind);
    }

    [Fact]
    public void Cars_about_to_collide_are_warned_of_through_the_nearest_site()
    {
        EdgeCore edge = Edge();
        var down = new List<DownPayload>();
        WarningRow[] warnings = [];
        for (int k = 1; k <= 26; k++)
        {
            double t = k * 0.1, way = -45 + (15 * t);
            Accept(edge, Participants(t, (way, 0), (0, way)), t, k);
            edge.Fuse(SimTime.FromSeconds(t));
            warnings = [.. warnings, .. edge.Warn(SimTime.FromSeconds(t), down)];
        }

        WarningRow warning = Assert.Single(warnings);
        Assert.Equal((ConflictKind.Junction, "S1"), (warning.Kind, warning.Device));
        Assert.InRange(Math.Abs(warning.X) + Math.Abs(warning.Y), 0, 2);
        Assert.Equal("rsu/S1/rsi/down", Assert.Single(down).Topic);
    }

    [Fact]
    public void An_object_that_drives_towards_a_neighbour_is_announced_to_it_and_to_nobody_else()
    {
        EdgeCore edge = Edge();
        for (int k = 1; k <= 10; k++)
        {
            Accept(edge, Participants(k * 0.1, (100 + k, 0)), k * 0.1, k);
            edge.Fuse(SimTime.FromSeconds(k * 0.1));
        }

        var leaving = new SortedList<string, List<HandoverRow>>(StringComparer.Ordinal);
        edge.FindLeaving(SimTime.FromSeconds(1), leaving);

        Assert.Equal(["east"], leaving.Keys);
        Assert.Equal(110, Assert.Single(leaving["east"]).X, 1.0);
        leaving.Clear();
        edge.FindLeaving(SimTime.FromSeconds(1.2), leaving);
        Assert.Empty(leaving);
    }

    [Fact]
    public void A_full_inbox_sheds_and_the_intake_counts_it_and_what_nobody_knows()
    {
        using var intake = new Intake(new EdgeDirectory([Config()]));
        for (int i = 0; i < EdgeInbox.MaximumMessages + 5; i++)
        {
            Assert.True(intake.Accept(Message("rscu/S1/participant/up", "{}", i, null), null));
        }

        intake.Accept(Message("rscu/S99/participant/up", "{}", 1, null), null);
        intake.Accept(Message("rscu/S1/participant/up", new string('x', ParticipantCodec.MaximumBytes + 1), 1, null), null);
        (List<MessageRow> rows, long[] counts) = intake.TakeRejected();

        Assert.Equal(EdgeInbox.MaximumMessages, intake.Accepted);
        Assert.Equal((5, 1, 1), (counts[(int)RejectReason.Shed], counts[(int)RejectReason.UnknownDevice], counts[(int)RejectReason.TooLarge]));
        Assert.Equal(7, rows.Count);
        Assert.False(intake.Accept(Message("weather/today", "{}", 1, null), null));
    }

    [Fact]
    public void A_device_may_speak_under_its_own_name_only_and_only_the_roadside_announces_steps()
    {
        using var intake = new Intake(new EdgeDirectory([Config()]));
        intake.Accept(Message("rscu/S1/participant/up", "{}", 0, 50), "S1");
        intake.Accept(Message("rscu/S1/participant/up", "{}", 1, 60), "somebody");
        intake.Accept(Message(Topics.StepUp, "{\"step\":1,\"sent\":{\"S1\":1}}", -1, null), "somebody");

        (List<MessageRow> rows, long[] counts) = intake.TakeRejected();
        Assert.Equal(2, counts[(int)RejectReason.NotTheSender]);
        Assert.Equal((1, 2, 1), (intake.Accepted, intake.Foreign, intake.Untaken));
        Assert.Equal(2, rows.Count);
    }

    [Fact]
    public void A_list_without_objects_is_taken_at_the_instant_of_its_scan()
    {
        EdgeCore edge = Edge();
        byte[] empty = Encoding.UTF8.GetBytes("{\"timeStamp\":1780272000150,\"rscuSn\":\"S1\",\"sensorSn\":\"S1-1\",\"scanTimeStamp\":1780272000100,\"ptcList\":[]}");
        edge.Accept(new BatchEntry("S1", TopicKind.ParticipantUp, 0, empty.Length, 0, 160_000), empty);
        edge.Fuse(SimTime.FromSeconds(0.2));

        Assert.Equal((100_000L, 150_000L), (edge.TakeRows()[0].SensedMicroseconds, 150_000L));
    }

    [Fact]
    public void A_sender_whose_clock_is_fast_does_not_make_the_honest_ones_late()
    {
        EdgeCore edge = Edge();
        Accept(edge, Participants(0.9, (5, 5)), 0.1, 0);
        Accept(edge, Participants(0.1, (5, 5)), 0.15, 1);
        edge.Fuse(SimTime.FromSeconds(0.2));

        Assert.Equal([RejectReason.FromTheFuture, RejectReason.None], edge.TakeRows().Select(r => r.Reason));
    }

    [Fact]
    public void Data_older_than_tracks_live_without_it_are_too_late()
    {
        EdgeCore edge = Edge();
        Accept(edge, Participants(1.0, (5, 5)), 2.1, 0);
        edge.Fuse(SimTime.FromSeconds(2.2));

        Assert.Equal(RejectReason.TooLate, Assert.Single(edge.TakeRows()).Reason);
    }

    [Fact]
    public void The_first_hundred_rejected_messages_of_a_device_are_kept_as_they_came_and_the_rest_are_counted()
    {
        EdgeCore edge = Edge();
        byte[] late = Participants(1.0, (5, 5)), huge = [.. Enumerable.Repeat((byte)'x', 5000)];
        Accept(edge, late, 2.1, 0);
        Accept(edge, huge, 2.1, 1);
        Accept(edge, Participants(2.0, (5, 5)), 2.1, 2);
        for (int i = 3; i < 150; i++)
        {
            Accept(edge, Encoding.UTF8.GetBytes($"no {i}"), 2.1, i);
        }

        Assert.Empty(edge.TakeQuarantined());
        edge.Fuse(SimTime.FromSeconds(2.2));
        QuarantineRow[] kept = edge.TakeQuarantined();

        Assert.Equal(149, edge.TakeRows().Count(r => r.Reason != RejectReason.None));
        Assert.Equal([0, 1, .. Enumerable.Range(3, 98)], kept.Select(k => (int)k.Sequence));
        Assert.Equal((RejectReason.TooLate, late.Length), (kept[0].Reason, kept[0].Bytes));
        Assert.Equal(late, kept[0].Payload);
        Assert.Equal((5000, QuarantineRow.MaximumOctets), (kept[1].Bytes, kept[1].Payload.Length));
        Assert.Equal("no 100", Encoding.UTF8.GetString(kept[99].Payload));
    }

    [Fact]
    public void Strangers_share_one_allowance_of_samples_and_cannot_fill_the_memory_with_their_names()
    {
        using var intake = new Intake(new EdgeDirectory([Config()]));
        for (int i = 0; i < 300; i++)
        {
            intake.Accept(Message($"rscu/{i}{new string('x', 60_000)}/participant/up", "{}", i, null), null);
        }

        intake.Accept(Message("rscu/S1/participant/up", new string('x', ParticipantCodec.MaximumBytes + 1), 1, null), null);
        QuarantineRow[] kept = intake.TakeQuarantined();

        Assert.Equal(100, kept.Count(k => k.Reason == RejectReason.UnknownDevice));
        Assert.Equal(QuarantineRow.MaximumOctets, Assert.Single(kept, k => k.Device == "S1").Payload.Length);
        Assert.All(intake.TakeRejected().Rows, r => Assert.True(r.Device.Length <= 64));
    }

    [Fact]
    public async Task A_step_is_complete_when_all_announced_messages_are_in()
    {
        using var intake = new Intake(new EdgeDirectory([Config()]));
        var clock = new FakeTimeProvider();
        for (int i = 0; i < 3; i++)
        {
            Assert.True(await intake.WaitForRoom(TimeSpan.FromSeconds(1), CancellationToken.None));
        }

        Task step = intake.WaitForStep(1, TimeSpan.FromSeconds(10), clock, CancellationToken.None);
        intake.Accept(Message("rscu/S1/participant/up", "{}", 0, 50), null);
        intake.Accept(Message(Topics.StepUp, "{\"step\":1,\"sent\":{\"S1\":3}}", -1, null), null);
        intake.Accept(Message("rscu/S1/participant/up", "{}", 1, 60), null);
        Assert.False(step.IsCompleted);
        intake.Accept(Message("rscu/S1/participant/up", "{}", 2, 70), null);

        await step.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_step_that_makes_no_progress_for_ten_seconds_names_the_device_that_is_missing()
    {
        using var intake = new Intake(new EdgeDirectory([Config()]));
        var clock = new FakeTimeProvider();
        intake.Accept(Message(Topics.StepUp, "{\"step\":1,\"sent\":{\"S1\":2}}", -1, null), null);
        Task step = intake.WaitForStep(1, TimeSpan.FromSeconds(10), clock, CancellationToken.None);

        for (int i = 0; i < 4 && !step.IsCompleted; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(10));
            await Task.Yield();
        }

        BrokerUnavailableException error = await Assert.ThrowsAsync<BrokerUnavailableException>(() => step.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains("S1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_batch_holds_payloads_end_to_end_and_two_batches_take_turns()
    {
        var inbox = new EdgeInbox();
        inbox.Append("S1", TopicKind.LampUp, new ReadOnlySequence<byte>("abc"u8.ToArray()), 1, 10, PayloadFormat.Json);
        inbox.Append("S1", TopicKind.LampUp, new ReadOnlySequence<byte>("de"u8.ToArray()), 2, 20, PayloadFormat.Json);
        EdgeBatch first = inbox.Take();
        inbox.Append("S1", TopicKind.LampUp, new ReadOnlySequence<byte>("f"u8.ToArray()), 3, 30, PayloadFormat.Json);

        Assert.Equal("abcde", Encoding.ASCII.GetString(first.Bytes.AsSpan(0, 5)));
        Assert.Equal([(0, 3, 1L), (3, 2, 2L)], first.Entries.Take(first.Count).Select(e => (e.Offset, e.Length, e.Sequence)));
        EdgeBatch second = inbox.Take();
        Assert.Equal((1, 3L), (second.Count, second.Entries[0].Sequence));
    }

    [Fact]
    public void What_stands_near_the_border_of_two_edges_has_one_owner_and_keeps_it()
    {
        // Sites at 0 and 220: the border is at 110.
        EdgeConfig west = Config(), east = Config() with { EdgeId = "E2", Sites = [new EdgeSite("S2", new PlanePoint(220, 0), [Lidar])], Neighbours = [new Neighbour("E1", default, [default])] };
        bool? ownedByWest = null, ownedByEast = null;
        var owners = new List<string>();
        foreach (double x in (double[])[90, 108, 112, 114, 112, 116, 114, 109, 106, 104])
        {
            ownedByWest = west.IsResponsibleFor(new PlanePoint(x, 0), ownedByWest);
            ownedByEast = east.IsResponsibleFor(new PlanePoint(x, 0), ownedByEast);
            Assert.NotEqual(ownedByWest, ownedByEast);
            owners.Add(ownedByWest == true ? "west" : "east");
        }

        Assert.Equal("west west west west west east east east east west", string.Join(' ', owners));
    }

    [Fact]
    public void An_edge_publishes_when_the_newest_list_of_each_sensor_is_there_and_at_the_steps_end_when_one_is_lost()
    {
        var edge = new EdgeCore(Config() with { PublishOnData = true }, new KernelTracker(new TrackerSettings(), 1));
        var instants = new List<double>();
        for (int k = 1; k <= 6; k++)
        {
            // The list of the fourth step is lost; that of the fifth is late.
            if (k != 4)
            {
                Accept(edge, Participants((0.1 * k) - 0.06, (k, 0)), (0.1 * k) - (k == 5 ? 0.005 : 0.03), k);
            }

            SimTime at = edge.PublicationInstant(SimTime.FromSeconds(0.1 * k));
            edge.Fuse(at);
            instants.Add(at.Seconds);
        }

        // In the first step nothing is known of what to expect.
        Assert.Equal([0.1, 0.17, 0.27, 0.4, 0.495, 0.57], instants);
        Assert.Equal(0, edge.Waiting);
    }

    [Fact]
    public void A_sensor_that_is_silent_for_a_second_is_not_waited_for_any_more()
    {
        EdgeConfig config = Config();
        var edge = new EdgeCore(config with { PublishOnData = true, Sites = [config.Sites[0] with { Sensors = [Lidar, Lidar with { Id = "S1-2" }] }] }, new KernelTracker(new TrackerSettings(), 1));
        double last = 0;
        for (int k = 1; k <= 30; k++)
        {
            Accept(edge, Participants((0.1 * k) - 0.06, (k, 0)), (0.1 * k) - 0.03, 2 * k);
            if (k <= 5)
            {
                byte[] other = System.Text.Encoding.UTF8.GetBytes(System.Text.Encoding.UTF8.GetString(Participants((0.1 * k) - 0.06, (k, 0))).Replace("S1-1", "S1-2", StringComparison.Ordinal));
                Accept(edge, other, (0.1 * k) - 0.02, (2 * k) + 1);
            }

            SimTime at = edge.PublicationInstant(SimTime.FromSeconds(0.1 * k));
            edge.Fuse(at);
            last = (k * 0.1) - at.Seconds;
            Assert.Equal(k is 1 or (> 5 and <= 15) ? 0 : k <= 5 ? 0.02 : 0.03, last, 1e-6);
        }
    }

    internal static EdgeCore Edge() => new(Config(), new KernelTracker(new TrackerSettings(), 1));

    internal static EdgeConfig Config() => new()
    {
        EdgeId = "E1",
        Number = 1,
        RegionId = "R1",
        Plane = Projection.LocalPlaneAt(default),
        Epoch = Epoch,
        Sites = [new EdgeSite("S1", default, [Lidar])],
        ServiceRadiusMetres = 120,
        Roads = [new RoadPiece(0, 0, new PlanePoint(-120, 0), new PlanePoint(120, 0), 15)],
        Neighbours = [new Neighbour("east", new PlanePoint(220, 0), [new PlanePoint(220, 0)]), new Neighbour("west", new PlanePoint(-220, 0), [new PlanePoint(-220, 0)])],
        WatchedLaneMetres = new Dictionary<int, double> { [0] = 240 },
    };

    private static void Accept(EdgeCore edge, byte[] payload, double arrival, long sequence) =>
        edge.Accept(new BatchEntry("S1", TopicKind.ParticipantUp, 0, payload.Length, sequence, SimTime.FromSeconds(arrival).Microseconds), payload);

    internal static byte[] Participants(double seconds, params (double X, double Y)[] objects)
    {
        var message = new ParticipantMessage { Device = "S1", Sensor = "S1-1", TimestampUnixMilliseconds = Epoch.ToUnixMilliseconds(SimTime.FromSeconds(seconds)) };
        LocalPlane plane = Projection.LocalPlaneAt(default);
        foreach ((double x, double y) in objects)
        {
            GeoPoint geo = plane.ToGeo(x, y);
            ref ParticipantObject o = ref message.Add();
            o.TimestampUnixMilliseconds = message.TimestampUnixMilliseconds;
            (o.ParticipantType, o.VehicleClass) = ParticipantCodec.CodeOf(RoadUserKind.Car);
            (o.LongitudeDegrees, o.LatitudeDegrees) = (geo.LongitudeDegrees, geo.LatitudeDegrees);
        }

        var json = new JsonBuffer();
        ParticipantCodec.Encode(message, json);
        return json.Written.ToArray();
    }

    private static MqttApplicationMessage Message(string topic, string payload, long sequence, long? arrival)
    {
        var properties = new List<MqttUserProperty>();
        if (sequence >= 0)
        {
            properties.Add(new MqttUserProperty("seq", Encoding.ASCII.GetBytes(sequence.ToString(CultureInfo.InvariantCulture))));
        }

        if (arrival is { } a)
        {
            properties.Add(new MqttUserProperty("arr", Encoding.ASCII.GetBytes(a.ToString(CultureInfo.InvariantCulture))));
        }

        return new MqttApplicationMessage { Topic = topic, PayloadSegment = Encoding.UTF8.GetBytes(payload), UserProperties = properties };
    }
}
