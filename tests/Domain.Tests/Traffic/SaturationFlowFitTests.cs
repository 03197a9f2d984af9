using V2XSim.Foundation;
using V2XSim.Traffic.Demand;
using V2XSim.Traffic.Micro;
using Xunit;

namespace V2XSim.Domain.Tests.Traffic;

public class SaturationFlowFitTests
{
    private const double Limit = 13.89;
    private static readonly VehicleType Car = VehicleType.Default("car", "passenger");

    [Theory]
    [InlineData(1.0, 1849)]
    [InlineData(0.5, 2031)]
    public void A_queue_of_usual_cars_discharges_as_Krauss_model_does_elsewhere(double step, double expected)
    {
        // Measured on SUMO 1.15's Krauß with the same parameters and steps.
        Assert.InRange(SaturationFlowFit.Measure(Car, Limit, step).SaturationFlowVehiclesPerHour, expected * 0.97, expected * 1.03);
    }

    [Theory]
    [InlineData(1500, 2.0, 1.0)]
    [InlineData(1650, 1.5, 1.0)]
    [InlineData(1800, 2.0, 1.0)]
    [InlineData(1900, 1.5, 1.0)]
    [InlineData(2100, 2.5, 1.0)]
    [InlineData(1800, 2.0, 0.5)]
    [InlineData(1900, 2.0, 0.1)]
    public void Drivers_are_fitted_to_the_saturation_flow_and_the_start_up_loss_asked_for(double flow, double loss, double step)
    {
        VehicleType fitted = SaturationFlowFit.Fit(Car, new SaturationFlow(flow, loss), Limit, step);
        SaturationFlow measured = SaturationFlowFit.Measure(fitted, Limit, step, queues: 40);
        Assert.InRange(measured.SaturationFlowVehiclesPerHour, flow * 0.97, flow * 1.03);
        Assert.InRange(measured.StartUpLossSeconds, loss - 0.3, loss + 0.3);
    }

    [Fact]
    public void A_flow_that_no_driver_reaches_is_refused_with_the_most_that_is_possible()
    {
        Problem problem = Assert.Single(SmallNets.ProblemsOf(() => SaturationFlowFit.Fit(Car, new SaturationFlow(3000, 2), Limit, 1)));
        Assert.Contains("exceed the highest saturation flow of type car", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_loss_shorter_than_speeding_up_takes_is_refused()
    {
        Problem problem = Assert.Single(SmallNets.ProblemsOf(() => SaturationFlowFit.Fit(Car, new SaturationFlow(1600, -3), Limit, 1)));
        Assert.Contains("below the time that type car loses", problem.Message, StringComparison.Ordinal);
    }
}
