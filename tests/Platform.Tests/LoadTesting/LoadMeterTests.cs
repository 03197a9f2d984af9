using CsCheck;
using HdrHistogram;
using V2XSim.Foundation;
using V2XSim.LoadTesting;
using V2XSim.Messages;
using V2XSim.Mqtt;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>The schedule that never waits, and the clock that starts with it; all time here is a number that the test moves on.</summary>
public class LoadMeterTests
{
    private const long Start = 1_780_000_000_000_000;
    private long _now = Start;

    [Fact]
    public void Every_sensor_sends_at_its_rate_and_all_of_them_are_spread_evenly() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 6], Gen.Double[0.5, 40]).Sample((sites, sensors, rate) =>
        {
            var schedule = new LoadSchedule(sites, sensors, rate, Enumerable.Range(0, sites));
            DueList[] lists = [.. Enumerable.Range(0, sites * sensors * 5).Select(n => schedule[n])];

            Assert.Equal(sites * sensors * rate, schedule.PerSecond, 6);
            Assert.True(lists.Zip(lists.Skip(1)).All(p => p.First.DueMicroseconds <= p.Second.DueMicroseconds));
            Assert.All(lists, l => Assert.Equal(0, l.DueMicroseconds % 1000));
            foreach (IGrouping<(int, int), DueList> one in lists.GroupBy(l => (l.Site, l.Sensor)))
            {
                Assert.Equal(5, one.Count());
                Assert.All(one.Zip(one.Skip(1)), p => Assert.InRange((p.Second.DueMicroseconds - p.First.DueMicroseconds) - (1e6 / rate), -1001, 1001));
            }

            // In any period there are never many more in one half than in the other; in ticks that small, so that rounding moves none across.
            long half = (long)(5e5 / rate);
            var fine = new LoadSchedule(sites, sensors, rate, Enumerable.Range(0, sites), tickMicroseconds: 1);
            Assert.InRange(Enumerable.Range(0, sites * sensors).Count(n => fine[n].DueMicroseconds < half), (sites * sensors / 2) - sensors, (sites * sensors / 2) + sensors + 1);
        }, iter: 2000);

    [Fact]
    public void A_receiver_that_stalls_shows_in_the_latency_of_all_that_was_due_meanwhile()
    {
        // One list every 100 ms. The network takes the third only after half a second: the four that fall due meanwhile are sent late,
        // and each of them is as late as it truly is.
        LoadDriver driver = Driver(out LoadMeter meter, (sequence, _) => _now += sequence == 2 ? 500_000 : 1_000);
        meter.Begin(Start, Start + 1_000_000, 100_000);
        driver.Begin(new LoadSchedule(1, 1, 10, [0]), Start, Start + 1_000_000);
        for (long next = driver.Step(); next != long.MaxValue; next = driver.Step())
        {
            _now = Math.Max(_now, next);
        }

        meter.End();

        Assert.Equal(10, meter.Sent);
        Assert.Equal(0, meter.Lost);
        Assert.Equal(4, meter.Late);
        Assert.Equal(500, meter.Edge.GetMaxValue() / 1000.0, 0);
        long[] milliseconds = [.. meter.Edge.RecordedValues().SelectMany(v => Enumerable.Repeat(v.ValueIteratedTo / 1000, (int)v.CountAtValueIteratedTo))];
        Assert.Equal([1, 1, 1, 1, 5, 104, 203, 302, 401, 500], milliseconds);
    }

    [Fact]
    public void A_measurement_that_is_ended_early_is_one_of_the_time_until_then()
    {
        LoadDriver driver = Driver(out LoadMeter meter, (_, _) => _now += 1_000);
        meter.Begin(Start, Start + 1_000_000, 100_000);
        driver.Begin(new LoadSchedule(1, 1, 10, [0]), Start, Start + 1_300_000);
        for (long next = driver.Step(); next != long.MaxValue; next = driver.Step())
        {
            _now = Math.Max(_now, next);
            if (meter.Sent == 3)
            {
                // What is due in the fifth tenth belongs to it; sending goes on for a while, and does not.
                meter.EndAt(Start + 450_000);
                driver.EndAt(Start + 750_000);
                driver.EndAt(Start + 900_000);
            }
        }

        meter.End();

        Assert.Equal((5, 5L, 0L), ((int)meter.Sent, meter.Publications, meter.Lost));
        Assert.InRange(_now, Start + 700_000, Start + 750_000);
    }

    [Fact]
    public void What_the_connection_does_not_take_is_counted_and_what_no_publication_used_is_lost()
    {
        LoadDriver driver = Driver(out LoadMeter meter, (sequence, _) => _now += 100, refuses: s => s == 3, answers: s => s < 7);
        meter.Begin(Start, Start + 1_000_000, 100_000);
        driver.Begin(new LoadSchedule(1, 1, 10, [0]), Start, Start + 1_000_000);
        for (long next = driver.Step(); next != long.MaxValue; next = driver.Step())
        {
            _now = Math.Max(_now, next);
        }

        meter.End();

        Assert.Equal((10, 1, 3, 6), (meter.Sent, meter.NotSent, meter.Lost, meter.Served));
    }

    [Theory]
    [InlineData(LedgerText.Queued, 0, MissCause.Queue)]
    [InlineData(LedgerText.Queued, 120_000, MissCause.GarbageCollection)]
    [InlineData(LedgerText.Fused, 0, MissCause.Fusion)]
    [InlineData(LedgerText.Held, 0, MissCause.Waiting)]
    [InlineData(-1, 0, MissCause.Network)]
    [InlineData(-2, 0, MissCause.Broker)]
    [InlineData(-3, 0, MissCause.Generator)]
    public void A_missed_deadline_has_the_cause_that_took_longest(int field, long paused, MissCause cause)
    {
        const long Long = 150_000;
        var meter = new LoadMeter(["S1"], 100_000, 10_000);
        meter.Begin(0, long.MaxValue, 100_000);
        long sent = field == -3 ? Long : 100;
        long sequence = meter.Offer(0, 0, sent);
        long[] numbers = new long[LedgerText.Numbers];
        numbers[LedgerText.Sequence] = sequence;
        numbers[LedgerText.Used] = 1;
        numbers[LedgerText.Intake] = sent + (field == -2 ? Long : 50);
        numbers[LedgerText.Paused] = paused;
        if (field >= 0)
        {
            numbers[field] = Long;
        }

        byte[] text = new byte[512];
        meter.Publication(0, text.AsSpan(0, LedgerText.Write(text, "S1", numbers)), numbers[LedgerText.Intake] + (field >= 0 ? Long : 0) + (field == -1 ? Long : 20));
        meter.End();

        Assert.Equal(1, meter.Misses[(int)cause]);
        Assert.Equal(1, meter.Misses.Sum());
        Assert.Equal(meter.Edge.GetMaxValue(), meter.Hops.Sum(h => h.GetMaxValue()), 500.0);
    }

    [Fact]
    public void An_edge_that_passes_lists_on_is_matched_by_the_instant_of_measurement()
    {
        var meter = new LoadMeter(["S1"], 100_000, 10_000);
        meter.Begin(Start, Start + 1_000_000, 100_000);
        for (int i = 0; i < 5; i++)
        {
            long due = Start + (i * 100_000);
            meter.Offer(0, due, due + 200);
            meter.Publication(0, due - LoadDriver.SensorDelayMicroseconds, due + 3_000);
        }

        meter.End();

        Assert.Equal((5, 5L, 0L), ((int)meter.Publications, meter.Served, meter.Lost));
        Assert.InRange(meter.Edge.GetMaxValue(), 2_990, 3_010);
    }

    [Theory]
    [InlineData(1, false, 0)]
    [InlineData(2, false, 10)]
    [InlineData(10, false, 18)]
    [InlineData(2, true, 0)]
    [InlineData(4, true, 10)]
    [InlineData(10, true, 16)]
    public void Of_an_edge_that_answers_one_list_in_many_the_others_are_lost_whatever_the_deadline(int every, bool predicts, int lost)
    {
        var meter = new LoadMeter(["S1"], 1_000_000, 10_000);
        for (int i = -10; i < 0; i++)
        {
            // Before the measurement nothing is answered, and that is no matter.
            meter.Offer(0, Start + (i * 100_000) - 250_000, Start + (i * 100_000) - 250_000);
        }

        meter.Begin(Start, Start + 2_000_000, 100_000);
        for (int i = 0; i < 20; i++)
        {
            long due = Start + (i * 100_000);
            meter.Offer(0, due, due + 200);
            if (i % every == every - 1)
            {
                meter.Publication(0, predicts ? due + 1_000 : due - LoadDriver.SensorDelayMicroseconds, due + 3_000);
            }
        }

        meter.End();

        Assert.Equal((20 / every, lost), ((int)meter.Publications, (int)meter.Lost));
    }

    [Fact]
    public void An_edge_that_does_not_count_its_frames_has_lost_none()
    {
        var meter = new LoadMeter(["S1"], 100_000, 10_000);
        meter.Begin(Start, Start + 1_000_000, 100_000);
        foreach (int count in new[] { 5, 5, 5, 6, 9, 127, 0 })
        {
            meter.Frame(0, count);
        }

        Assert.Equal((7, 2 + 117), ((int)meter.Frames, (int)meter.FramesLost));
    }

    [Fact]
    public void A_publication_tells_of_all_sensors_lists_of_its_period()
    {
        var meter = new LoadMeter(["S1"], 50_000, 10_000);
        meter.Begin(Start, Start + 4_000_000, 200_000);
        for (int i = 0; i < 80; i++)
        {
            long due = Start + (i * 50_000);
            meter.Offer(0, due, due + 200);
            if (i % 4 == 3)
            {
                meter.Publication(0, due - LoadDriver.SensorDelayMicroseconds, due + 3_000);
            }
        }

        meter.End();

        Assert.Equal((20, 0), ((int)meter.Publications, (int)meter.Lost));
    }

    [Fact]
    public void A_long_measurement_is_told_of_in_sixty_stretches()
    {
        const int Hours = 8;
        var meter = new LoadMeter(["S1"], 100_000, 10_000);
        meter.Begin(Start, Start + (Hours * 3_600_000_000L), 60_000_000);
        for (int minute = 0; minute < Hours * 60; minute++)
        {
            long due = Start + (minute * 60_000_000L);
            meter.Offer(0, due, due + 200);
            meter.Publication(0, due - LoadDriver.SensorDelayMicroseconds, due + 3_000);
        }

        meter.End();

        Assert.Equal(60, meter.Stretches.Count);
        Assert.All(meter.Stretches, s => Assert.Equal((8L, 8L, 8L), (s.Sent, s.Publications, s.Edge.TotalCount)));
        Assert.Equal((1, 1, 3), (LoadMeter.StretchSeconds(20), LoadMeter.StretchSeconds(60), LoadMeter.StretchSeconds(121)));
    }

    [Fact]
    public void An_edge_that_predicts_is_matched_by_the_newest_list_that_was_due_by_then()
    {
        var meter = new LoadMeter(["S1"], 100_000, 10_000);
        meter.Begin(Start, Start + 1_000_000, 100_000);
        for (int i = 0; i < 5; i++)
        {
            long due = Start + (i * 100_000);
            meter.Offer(0, due, due + 200);
            meter.Publication(0, due + 1_000, due + 3_000);

            // The second frame of the same publication does not count again.
            meter.Publication(0, due + 1_000, due + 3_200);
        }

        meter.End();

        Assert.Equal((5, 0L), ((int)meter.Publications, meter.Lost));
        Assert.InRange(meter.Edge.GetMaxValue(), 2_990, 3_010);
    }

    [Fact]
    public void A_ledger_comes_back_as_it_was_written() =>
        Gen.Select(Gen.Long.Array[LedgerText.Numbers], Gen.String[Gen.Char.AlphaNumeric, 1, 64]).Sample((numbers, device) =>
        {
            byte[] text = new byte[512];
            int length = LedgerText.Write(text, device, numbers);
            long[] read = new long[LedgerText.Numbers];

            Assert.True(LedgerText.TryRead(text.AsSpan(0, length), out ReadOnlySpan<byte> who, read));
            Assert.Equal(device, System.Text.Encoding.UTF8.GetString(who));
            Assert.Equal(numbers, read);
            Assert.False(LedgerText.TryRead(text.AsSpan(0, length - 2), out _, read) && read.SequenceEqual(numbers));
        });

    [Theory]
    [InlineData(PayloadFormat.Json)]
    [InlineData(PayloadFormat.Protobuf)]
    [InlineData(PayloadFormat.Uper)]
    public void Lists_of_a_load_are_lawful_and_their_road_users_move_as_recorded(PayloadFormat format)
    {
        LoadRecording recording = Recording(objects: 30);
        var lists = new LoadLists(recording, format, new RandomStreams(1));
        var site = LoadSite.Of(0, "S1", V2XSim.Roads.MapProjection.CentredOn(new GeoPoint(116.5, 39.8)).LocalPlaneAt(default), ["S1-1"]);
        long unix = 1_780_272_000_000_000;

        byte[] payload = lists.Write(site, 0, unix - 20_000, unix).ToArray();

        Assert.Equal(30, lists.Count);
        if (format == PayloadFormat.Uper)
        {
            var reader = new V2XSim.Messages.Uper.FrameReader();
            Assert.Equal(RejectReason.None, reader.Read(TopicKind.RsmUp, payload, format));
            Assert.Equal(30, reader.Objects.Length);
            Assert.All(reader.Objects.ToArray(), o => Assert.InRange(o.Position.LatitudeDegrees, 39.797, 39.803));
            Assert.Equal(RejectReason.MalformedUper, reader.Read(TopicKind.RsmUp, payload.AsSpan(0, payload.Length - 3), format));
            return;
        }

        var message = new ParticipantMessage();
        var codec = new ParticipantCodec();
        Assert.Equal(RejectReason.None, format == PayloadFormat.Json ? codec.Decode(payload, message) : codec.DecodeProtobuf(payload, message));
        Assert.Equal((30, "S1", "S1-1"), (message.Count, message.Device, message.Sensor));
        Assert.Equal(unix / 1000, message.TimestampUnixMilliseconds);
        Assert.All(message.Objects.ToArray(), o => Assert.InRange(o.SpeedMetresPerSecond, 0, 30));
    }

    [Fact]
    public void A_site_with_few_road_users_borrows_those_around_others_and_a_recording_comes_back_from_its_file()
    {
        LoadRecording recording = Recording(objects: 12, sites: 3, around: 6);
        var memory = new MemoryStream();
        recording.Write(memory);
        memory.Position = 0;
        LoadRecording read = LoadRecording.Read(memory);

        Assert.Equal(1, recording.FilledShare);
        Assert.Equal(0.5, recording.OwnShare, 2);
        Assert.Equal(recording.At(2, 7).ToArray(), read.At(2, 7).ToArray());

        // Whoever stays near keeps the place.
        Assert.Equal(recording.At(0, 3).ToArray().Select(o => o.Key), recording.At(0, 4).ToArray().Select(o => o.Key));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(37)]
    [InlineData(74)]
    public void Nobody_is_borrowed_twice_whatever_the_number_of_sites(int sites)
    {
        LoadRecording recording = Recording(objects: 12, sites, around: 6);

        Assert.Equal(12, recording.At(0, 7).ToArray().Select(o => (o.X, o.Y)).Distinct().Count());
    }

    private static LoadRecording Recording(int objects, int sites = 1, int around = 40) => LoadRecording.Make(
        (time, frame) =>
        {
            frame.Clear();
            for (int s = 0; s < sites; s++)
            {
                for (int i = 0; i < around; i++)
                {
                    frame.Add((s * 100) + i, (s * 5000) + (i * 3) - 60 + (time.Seconds * 8), i + (s * 0.01), 0, 0, 0, 8, BodySize.Of(RoadUserKind.Car), RoadUserKind.Car);
                }
            }

            return true;
        },
        [.. Enumerable.Range(0, sites).Select(s => new PlanePoint(s * 5000, 0))],
        [],
        objects,
        150,
        2);

    /// <summary>A driver for one site whose sends are answered at once by an edge that says what it used.</summary>
    private LoadDriver Driver(out LoadMeter meter, Action<long, int> onSend, Func<long, bool>? refuses = null, Func<long, bool>? answers = null)
    {
        LoadMeter own = meter = new LoadMeter(["S1"], 100_000, 10_000);
        long sequence = 0, used = 0;
        LoadDriver? driver = null;
        driver = new LoadDriver(
            [LoadSite.Of(0, "S1", V2XSim.Roads.MapProjection.CentredOn(new GeoPoint(116.5, 39.8)).LocalPlaneAt(default), ["S1-1"])],
            new LoadLists(Recording(5), PayloadFormat.Json, new RandomStreams(1)),
            own,
            LoadDialect.Its0180,
            PayloadFormat.Json,
            0,
            () => _now,
            (place, packets) =>
            {
                long number = sequence++;
                if (refuses?.Invoke(number) ?? false)
                {
                    return false;
                }

                onSend(number, place);
                if (answers?.Invoke(number) ?? true)
                {
                    long[] numbers = new long[LedgerText.Numbers];
                    (numbers[LedgerText.Sequence], numbers[LedgerText.Used], numbers[LedgerText.Intake]) = (number, ++used, _now);
                    byte[] text = new byte[512];
                    driver!.Receive(0, new InboundPublish
                    {
                        Topic = "rsu/S1/rsm/down",
                        Payload = new System.Buffers.ReadOnlySequence<byte>("{}"u8.ToArray()),
                        Published = 1,
                        Ledger = text.AsSpan(0, LedgerText.Write(text, "S1", numbers)),
                    });
                }

                return true;
            });
        return driver;
    }
}
