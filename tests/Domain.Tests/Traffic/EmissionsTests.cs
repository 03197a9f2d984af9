using V2XSim.Traffic.Micro;
using Xunit;

namespace V2XSim.Domain.Tests.Traffic;

public class EmissionsTests
{
    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(13.89, 0, 2.64)]
    [InlineData(10, 1, 12.622)]
    [InlineData(10, -2, -20.378)]
    public void Specific_power_is_that_of_the_published_equation(double speed, double acceleration, double expected) =>
        Assert.Equal(expected, Emissions.SpecificPower(speed, acceleration), 2);

    [Theory]
    [InlineData(-5, 0)]
    [InlineData(-2, 1)]
    [InlineData(-0.01, 1)]
    [InlineData(0, 2)]
    [InlineData(0.99, 2)]
    [InlineData(1, 3)]
    [InlineData(3.99, 3)]
    [InlineData(22.9, 9)]
    [InlineData(23, 10)]
    [InlineData(38.9, 12)]
    [InlineData(39, 13)]
    [InlineData(400, 13)]
    public void The_mode_of_a_power_is_the_one_whose_range_holds_it(double power, int mode) => Assert.Equal(mode, Emissions.Mode(power));

    [Fact]
    public void Rates_are_those_of_the_table_at_its_ends()
    {
        Assert.Equal((0.41, 1.30, 0.12), Emissions.Rates(0));
        Assert.Equal((2.34, 7.41, 0.97), Emissions.Rates(13));
    }
}
