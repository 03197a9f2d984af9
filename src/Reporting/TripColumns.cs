using V2XSim.Traffic.Micro;

namespace V2XSim.Reporting;

/// <summary>Table of the trips of simulated traffic. Times are seconds after the scenario's start; earlier times are negative.</summary>
public sealed class TripColumns : TableColumns
{
    private readonly TextColumn _trip = new("trip");
    private readonly TextColumn _type = new("type");
    private readonly TextColumn _state = new("state");
    private readonly Column<double> _depart = new("depart_s");
    private readonly Column<double> _entered = new("entered_s");
    private readonly Column<double> _left = new("left_s");
    private readonly Column<double> _length = new("length_m");
    private readonly Column<double> _loss = new("time_loss_s");
    private readonly Column<double> _waiting = new("waiting_s");
    private readonly Column<int> _stops = new("stops");
    private readonly Column<double> _fuel = new("fuel_g");
    private readonly Column<double> _dioxide = new("carbon_dioxide_g");
    private readonly Column<double> _oxides = new("nitrogen_oxides_mg");

    /// <summary>Adds a trip. Times of events that have not happened are NaN.</summary>
    public ValueTask AddAsync(Traffic.Demand.Trip trip, in TripRecord r, double begin)
    {
        bool isIn = r.State != TripState.Waiting;
        _trip.Add(trip.Id);
        _type.Add(trip.Type.Id);
        _state.Add(r.State switch { TripState.Waiting => "waiting", TripState.Arrived => "arrived", _ => "on the road" });
        _depart.Add(trip.DepartSeconds - begin);
        _entered.Add(isIn ? r.EnteredSeconds - begin : double.NaN);
        _left.Add(r.State == TripState.Arrived ? r.LeftSeconds - begin : double.NaN);
        _length.Add(r.LengthMetres);
        _loss.Add(r.TimeLossSeconds);
        _waiting.Add(r.WaitingSeconds);
        _stops.Add(r.Stops);
        _fuel.Add(r.FuelGrams);
        _dioxide.Add(r.CarbonDioxideGrams);
        _oxides.Add(r.NitrogenOxidesMilligrams);
        return Table!.EndRowAsync();
    }

    protected override Column[] Columns() => [_trip, _type, _state, _depart, _entered, _left, _length, _loss, _waiting, _stops, _fuel, _dioxide, _oxides];
}
