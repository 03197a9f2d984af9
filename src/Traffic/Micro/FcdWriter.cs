using System.Globalization;
using System.Text;
using V2XSim.Foundation;
using V2XSim.Roads;

namespace V2XSim.Traffic.Micro;

/// <summary>Writes where every vehicle is as SUMO's floating-car data: front of the vehicle, compass angle, m/s, metres along the lane.</summary>
public sealed class FcdWriter : IDisposable
{
    private readonly StreamWriter _writer;
    private readonly RoadNetwork _network;
    private readonly long _everySteps;
    private readonly VehicleVisitor _write;
    private TrafficEngine _engine = null!;
    private long _steps;

    /// <param name="target">Is disposed with this.</param>
    /// <param name="network">The network that is driven on.</param>
    /// <param name="periodSeconds">Time between two instants, rounded to whole steps.</param>
    /// <param name="stepSeconds">Length of a step of the engine.</param>
    public FcdWriter(Stream target, RoadNetwork network, double periodSeconds, double stepSeconds)
    {
        _writer = new StreamWriter(target, new UTF8Encoding(false)) { NewLine = "\n" };
        _network = network;
        _everySteps = Math.Max(1, (long)Math.Round(periodSeconds / stepSeconds));
        _write = WriteVehicle;
        _writer.Write("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<fcd-export>\n");
    }

    /// <summary>Writes the state after a step, if its time has come.</summary>
    public void Write(TrafficEngine engine)
    {
        if (_steps++ % _everySteps != 0)
        {
            return;
        }

        _engine = engine;

        // The engine's clock shows the next step already.
        _writer.Write(string.Create(CultureInfo.InvariantCulture, $"    <timestep time=\"{engine.Seconds - engine.StepSeconds:0.00}\">\n"));
        engine.ForEachVehicle(_write);
        _writer.Write("    </timestep>\n");
    }

    public void Dispose()
    {
        _writer.Write("</fcd-export>\n");
        _writer.Dispose();
    }

    private void WriteVehicle(in VehicleView vehicle)
    {
        Lane lane = _network.Lanes[vehicle.Lane];
        (PlanePoint front, double heading) = lane.At(vehicle.Metres);
        Demand.Trip trip = _engine.Trips[vehicle.Trip];
        string id = Escaped(trip.Id), type = Escaped(trip.Type.Id);
        _writer.Write(string.Create(
            CultureInfo.InvariantCulture,
            $"        <vehicle id=\"{id}\" x=\"{front.X:0.00}\" y=\"{front.Y:0.00}\" angle=\"{Heading.ToCompassDegrees(heading):0.00}\" type=\"{type}\" speed=\"{vehicle.SpeedMetresPerSecond:0.00}\" pos=\"{vehicle.Metres:0.00}\" lane=\"{Escaped(lane.Id)}\" slope=\"0.00\"/>\n"));
    }

    private static string Escaped(string text) => text.AsSpan().IndexOfAny("&<\"") < 0
        ? text
        : text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace("\"", "&quot;", StringComparison.Ordinal);
}
