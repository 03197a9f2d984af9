using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Traffic;
using Xunit;

namespace V2XSim.Domain.Tests.Traffic;

public class RecordingTests
{
    private static readonly RoadNetwork Network = SmallNets.Read();

    [Fact]
    public void Floating_car_data_gives_the_middle_of_the_body_half_a_length_behind_the_bumper()
    {
        using FcdRecording recording = Fcd("""<timestep time="5.00"><vehicle id="a" x="50.00" y="-4.80" angle="90.00" speed="10.00" lane="ab_0" pos="50.00" type="truck_big"/></timestep>""");

        RecordedStep step = recording.Next()!;

        RecordedUser user = Assert.Single(step.Users);
        Assert.Equal(5, step.Seconds);
        Assert.Equal(RoadUserKind.Truck, user.Kind);
        Assert.Equal(50 - (user.Size.LengthMetres / 2), user.X, 6);
        Assert.Equal((Network.Lane("ab_0"), 50.0, 10.0), (user.Lane, user.LanePositionMetres, user.SpeedMetresPerSecond));
        Assert.Null(recording.Next());
    }

    [Fact]
    public void Vehicles_may_be_written_with_an_end_tag_and_with_content()
    {
        using FcdRecording recording = Fcd("""<timestep time="0"><vehicle id="a" x="1" y="1" angle="0"></vehicle><vehicle id="b" x="2" y="1" angle="0"><param key="k" value="v"/></vehicle><vehicle id="c" x="3" y="1" angle="0"/></timestep>""");

        Assert.Equal(["a", "b", "c"], recording.Next()!.Users.Select(u => u.Id));
    }

    [Fact]
    public void Persons_are_pedestrians_and_what_else_stands_in_a_step_is_counted()
    {
        using FcdRecording recording = Fcd("""<timestep time="0"><person id="p" x="1" y="2" angle="0" speed="1.2"/><container id="c" x="1" y="2" angle="0"/></timestep>""");

        Assert.Equal(RoadUserKind.Pedestrian, Assert.Single(recording.Next()!.Users).Kind);
        Assert.Equal(1, recording.Remarks["skipped: element container"]);
    }

    [Theory]
    [InlineData("<timestep time=\"0\"><vehicle id=\"a\" y=\"0\" angle=\"0\"/></timestep>", "attribute x is missing")]
    [InlineData("<timestep time=\"0\"><vehicle id=\"a\" x=\"1,5\" y=\"0\" angle=\"0\"/></timestep>", "'1,5' is not a number")]
    [InlineData("<timestep><vehicle id=\"a\" x=\"1\" y=\"0\" angle=\"0\"/></timestep>", "attribute time is missing")]
    [InlineData("<timestep time=\"0\"><vehicle id=\"a\" x=\"1\"", "not a readable SUMO floating-car data")]
    public void Floating_car_data_that_cannot_be_replayed_is_one_clear_error(string xml, string message)
    {
        Problem problem = Assert.Single(SmallNets.ProblemsOf(() =>
        {
            using FcdRecording recording = Fcd(xml);
            while (recording.Next() is not null)
            {
            }
        }));

        Assert.Contains(message, problem.Message, StringComparison.Ordinal);
        Assert.True(problem.Line > 0);
    }

    [Fact]
    public void Another_document_than_floating_car_data_is_refused()
    {
        using var recording = new FcdRecording(SmallNets.Bytes(SmallNets.TwoLinks), "net.xml", Network);

        Assert.Contains("<net>", Assert.Single(SmallNets.ProblemsOf(() => recording.Next())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_recording_of_a_million_rows_is_read_as_a_stream()
    {
        var source = new EndlessFcd(2_000);
        using var recording = new FcdRecording(source, "endless.xml", Network);
        int steps = 0;
        while (recording.Next() is { } step)
        {
            Assert.Equal(500, step.Users.Count);
            steps++;

            // A reader that wanted the recording whole would be far ahead of what it has given out.
            Assert.InRange(source.StepsMade, steps, steps + 10);
        }

        Assert.Equal(2_000, steps);
    }

    [Fact]
    public void A_csv_is_read_by_the_names_of_its_columns_in_any_order()
    {
        using CsvRecording recording = Csv("y,vehicle_id,t,x,speed,heading_deg,length,type\n2,car-1,0.1,1,5,90,4.2,car\n3,bus-1,0.1,9,6,0,12,bus\n4,car-1,0.2,2,5,90,4.2,car\n");

        RecordedStep first = recording.Next()!, second = recording.Next()!;

        Assert.Equal((0.1, 2), (first.Seconds, first.Users.Count));
        RecordedUser car = first.Users[0];
        Assert.Equal(("car-1", 1.0, 2.0, 5.0, 4.2f), (car.Id, car.X, car.Y, car.SpeedMetresPerSecond, car.Size.LengthMetres));
        Assert.Equal(0, car.HeadingRadians, 9);
        Assert.Equal(RoadUserKind.Bus, first.Users[1].Kind);
        Assert.Equal((0.2, 1), (second.Seconds, second.Users.Count));
        Assert.Null(recording.Next());
    }

    [Fact]
    public void Segments_that_each_begin_anew_are_played_one_after_the_other()
    {
        using CsvRecording recording = Csv("segment,t,vehicle_id,x,y\na,0,1,0,0\na,0.1,1,1,0\nb,0,1,50,0\nb,0.1,1,51,0\n");
        var steps = new List<RecordedStep>();
        while (recording.Next() is { } step)
        {
            steps.Add(step);
        }

        Assert.Equal([0.0, 0.1, 0.2, 0.3], steps.Select(s => Math.Round(s.Seconds, 6)));
        Assert.Equal(["a/1", "a/1", "b/1", "b/1"], steps.Select(s => s.Users[0].Id));
        Assert.Equal(1, recording.Remarks["joins of segments, at which everybody changes"]);
    }

    [Theory]
    [InlineData("t,vehicle,x,y\n0,1,0,0\n", "column vehicle_id is missing", 1)]
    [InlineData("t,vehicle_id,x,y\n0,1,zero,0\n", "'zero' is not a number", 2)]
    [InlineData("t,vehicle_id,x,y\n0,1,0,0\n0,2,0\n", "the row has 3 fields", 3)]
    [InlineData("t,vehicle_id,x,y\n1,1,0,0\n0,1,0,0\n", "time goes back", 3)]
    [InlineData("", "the file is empty", 1)]
    public void A_csv_that_cannot_be_replayed_is_one_clear_error_with_its_line(string text, string message, int line)
    {
        Problem problem = Assert.Single(SmallNets.ProblemsOf(() =>
        {
            using CsvRecording recording = Csv(text);
            while (recording.Next() is not null)
            {
            }
        }));

        Assert.Contains(message, problem.Message, StringComparison.Ordinal);
        Assert.Equal(line, problem.Line);
    }

    private static FcdRecording Fcd(string steps) => new(SmallNets.Bytes($"<fcd-export>\n{steps}\n</fcd-export>"), "fcd.xml", Network);

    private static CsvRecording Csv(string text) => new(SmallNets.Bytes(text), "traffic.csv");

    /// <summary>Floating-car data of 500 vehicles that is made step by step as it is asked for.</summary>
    private sealed class EndlessFcd : Stream
    {
        private readonly int _steps;
        private byte[] _chunk = System.Text.Encoding.UTF8.GetBytes("<fcd-export>");
        private int _step;
        private int _at;

        public EndlessFcd(int steps) => _steps = steps;

        public int StepsMade => Math.Min(_step, _steps);

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (_at == _chunk.Length)
            {
                if (_step > _steps)
                {
                    return 0;
                }

                string text = _step == _steps ? "</fcd-export>"
                    : FormattableString.Invariant($"<timestep time=\"{_step * 0.1:0.0}\">") + string.Concat(Enumerable.Range(0, 500).Select(i => $"<vehicle id=\"v{i}\" x=\"{i}\" y=\"1\" angle=\"90\" speed=\"3\"/>")) + "</timestep>";
                _chunk = System.Text.Encoding.UTF8.GetBytes(text);
                _step++;
                _at = 0;
            }

            int copied = Math.Min(count, _chunk.Length - _at);
            _chunk.AsSpan(_at, copied).CopyTo(buffer.AsSpan(offset));
            _at += copied;
            return copied;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
