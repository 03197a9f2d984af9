using V2XSim.Foundation;
using Xunit;

namespace V2XSim.Domain.Tests.Foundation;

public class ProblemTests
{
    [Fact]
    public void A_problem_reads_as_place_field_message_and_remedy() =>
        Assert.Equal(
            "demo.yaml:4:7: traffic.file: there is no such file (give its name)",
            new Problem("demo.yaml", 4, 7, "traffic.file", "there is no such file", "give its name").ToString());

    [Fact]
    public void A_problem_of_a_whole_file_names_no_line() =>
        Assert.Equal("demo.yaml: it is empty", new Problem("demo.yaml", 0, 0, string.Empty, "it is empty", string.Empty).ToString());

    [Fact]
    public void An_exception_carries_all_problems_at_once()
    {
        var error = new BadInputException([new Problem("a", 1, 1, "x", "m", "r"), new Problem("b", 2, 2, "y", "n", "s")]);

        Assert.Equal(2, error.Problems.Count);
        Assert.Contains("a:1:1: x: m (r)", error.Message, StringComparison.Ordinal);
        Assert.Contains("b:2:2: y: n (s)", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("vehicels", "vehicles")]
    [InlineData("Speed", "speed")]
    [InlineData("xyzzy", null)]
    public void The_nearest_name_is_the_one_that_was_meant_or_none(string name, string? expected) =>
        Assert.Equal(expected, NearestName.Of(name, ["vehicles", "speed", "durationSeconds"]));
}
