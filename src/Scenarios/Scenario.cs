using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using V2XSim.Roads.Sites;
using V2XSim.Sensing;
using V2XSim.Tracking;
using V2XSim.Tracking.Edge;
using V2XSim.Traffic.Demand;

namespace V2XSim.Scenarios;

/// <summary>A scenario as its file states it. Files named in it are relative to its folder.</summary>
public sealed record Scenario
{
    [Required]
    [Description("Short name; appears in reports.")]
    public string Name { get; init; } = string.Empty;

    [Description("What the scenario shows, in a sentence or two.")]
    public string Description { get; init; } = string.Empty;

    [Description("UTC at the scenario's start, ISO 8601; or now, for real devices whose clocks show it (with --clock wall only).")]
    public string StartUtc { get; init; } = "2026-06-01T00:00:00Z";

    [Range(0.1, 1_000_000)]
    [Description("How long to run, in simulated seconds. A recording may end earlier.")]
    public double DurationSeconds { get; init; } = 60;

    [Range(0.01, 1)]
    [Description("Length of a step in seconds: how often edges fuse and publish.")]
    public double StepSeconds { get; init; } = 0.1;

    [Description("Seed of all randomness; --seed overrides it.")]
    public ulong Seed { get; init; } = 1;

    [Required]
    [Description("Where the roads come from.")]
    public RoadsSection? Roads { get; init; }

    [Required]
    [Description("Where the road users come from.")]
    public TrafficSection? Traffic { get; init; }

    [Required]
    [Description("Where roadside computing units stand.")]
    public SitesSection? Sites { get; init; }

    [Description("Every device's link to the platform.")]
    public LinkSettings Uplink { get; init; } = new();

    [Description("Every device's link from the platform.")]
    public LinkSettings Downlink { get; init; } = new();

    [Range(0, 50)]
    [Description("Lamp messages a second from each site with a signal; 0 sends none.")]
    public double LampRateHz { get; init; } = 10;

    [Description("What signals tell and are told.")]
    public SignalsSection Signals { get; init; } = new();

    [Description("What devices do beside sensing.")]
    public OperationSection Operation { get; init; } = new();

    [Description("Vehicles that say of themselves where they are, and those among them that lie.")]
    public ConnectedVehicleSettings Vehicles { get; init; } = new();

    [Description("Limits of the checks of what vehicles say of themselves.")]
    public PlausibilitySettings Plausibility { get; init; } = new();

    [Description("Tuning of the edges' tracker.")]
    public TrackerSettings Tracker { get; init; } = new();

    [Description("Edges publish as soon as the newest list of each sensor has arrived, at the step's end at the latest; false publishes at the step's end, as does the wall clock.")]
    public bool PublishOnData { get; init; } = true;

    [Description("What is recorded.")]
    public OutputSection Output { get; init; } = new();
}

/// <summary>How a signal gets into step with another plan.</summary>
public enum PlanTransition
{
    Shortway,
    Dwell,
}

public sealed record SignalsSection
{
    [Range(0, 20)]
    [Description("SPAT frames a second from each site with a signal; 0 sends none. T/ITS 0117 asks for one at least.")]
    public double SpatRateHz { get; init; } = 2;

    [Description("Case of 'signals arterial': the report draws time and space along its street, as it was driven.")]
    public string? Street { get; init; }

    [Description("Plans that regions send to signals' controllers.")]
    public IReadOnlyList<PlanChangeSection> Plans { get; init; } = [];

    [Description("What edges do for vehicles that come to a signal.")]
    public GuidanceSettings Guidance { get; init; } = new();
}

/// <summary>Plans of a file, sent at an instant.</summary>
public sealed record PlanChangeSection : IPositioned
{
    [Range(0, 1e7)]
    [Description("When the region sends them.")]
    public double AtSeconds { get; init; }

    [Required]
    [Description("SUMO additional file; every tlLogic in it is sent to its signal. One without phases moves the offset of the programme of that name, of the network or of the additional files.")]
    public string File { get; init; } = string.Empty;

    [Description("How signals get into step: shortway changes greens by a fifth of a cycle at most, dwell holds the first phase.")]
    public PlanTransition Transition { get; init; }

    public int Line { get; set; }

    public int Column { get; set; }
}

/// <summary>Exactly one source of roads.</summary>
public sealed record RoadsSection
{
    [Description("SUMO network, .net.xml or .net.xml.gz.")]
    public string? SumoNet { get; init; }

    [Description("GeoJSON (WGS 84) of LineString roads; properties id, name, class, lanes (each direction), oneway, maxspeed (km/h). A Point with signal: true marks a junction to put a site at.")]
    public string? GeoJson { get; init; }

    [Description("Local origin of GeoJSON roads; the first point when absent.")]
    public GeoPosition? Origin { get; init; }
}

public sealed record GeoPosition
{
    [Range(-180, 180)]
    [Description("WGS 84 longitude.")]
    public double LongitudeDegrees { get; init; }

    [Range(-90, 90)]
    [Description("WGS 84 latitude.")]
    public double LatitudeDegrees { get; init; }
}

/// <summary>Exactly one source of road users.</summary>
public sealed record TrafficSection
{
    [Description("SUMO floating-car data, .xml or .xml.gz.")]
    public string? Fcd { get; init; }

    [Description("Trajectories as CSV, plain or gzip, with a header line. Columns in any order: t (s), vehicle_id, x, y (middle of the body, metres of the network); optional heading_rad (anticlockwise from east) or heading_deg (clockwise from north), speed (m/s), length, width, height (m), type, segment (recordings that each begin anew, played one after the other).")]
    public string? Csv { get; init; }

    [Description("Vehicles that drive about at random.")]
    public DemandSettings? Drive { get; init; }

    [Description("Vehicles simulated on a SUMO network, from SUMO demand or tables of trips.")]
    public SimulationSection? Simulate { get; init; }

    [Description("Time of the recording at which the scenario starts; its first instant when absent.")]
    public double? FromSeconds { get; init; }

    [Range(0, 60)]
    [Description("Longest absence from a recording that is bridged.")]
    public double MaximumGapSeconds { get; init; } = 3;
}

/// <summary>Demand for the microscopic engine.</summary>
public sealed record SimulationSection
{
    [Description("Demand: SUMO route files (.rou.xml, .rou.xml.gz) or tables of trips (.csv, .csv.gz).")]
    public IReadOnlyList<string> Routes { get; init; } = [];

    [Description("SUMO additional files: types, bus stops, signal programmes, offsets, timetables.")]
    public IReadOnlyList<string> Additional { get; init; } = [];

    [Range(0.001, 100)]
    [Description("Demand as a multiple of what the files say.")]
    public double Scale { get; init; } = 1;

    [Range(0, 1e9)]
    [Description("Time of the demand, and of the signals' clock, at which the scenario starts.")]
    public double BeginSeconds { get; init; }

    [Range(100, 4000)]
    [Description("Rate at which queues of cars discharge at green; drivers are fitted to it. As the types of the files say when absent.")]
    public double? SaturationFlowVehiclesPerHour { get; init; }

    [Range(-2, 10)]
    [Description("What a queue of cars loses at the start of green; drivers are fitted to it. As the types of the files say when absent.")]
    public double? StartUpLossSeconds { get; init; }

    [Range(0, 86_400)]
    [Description("Simulated before that, so that the scenario starts with traffic on the road.")]
    public double WarmUpSeconds { get; init; }
}

/// <summary>Sites from a file, or planned anew in each run.</summary>
public sealed record SitesSection
{
    [Description("Site plan made by 'v2xsim sites'.")]
    public string? File { get; init; }

    [Description("Plan sites when the run starts.")]
    public PlanSection? Plan { get; init; }
}

public sealed record PlanSection
{
    [Range(0.001, 100_000)]
    [Description("Centre-line kilometres of road to cover.")]
    public double RoadKilometres { get; init; } = 300;

    [Range(0, 100_000)]
    [Description("Sites to place at least, while they still add road.")]
    public int MinimumSites { get; init; }

    [Range(10, 1000)]
    [Description("How far around a site its road counts as networked.")]
    public double ServiceRadiusMetres { get; init; } = 250;

    [Range(1, 64)]
    [Description("Neighbouring sites that one edge node serves.")]
    public int SitesPerEdge { get; init; } = 1;

    [Range(100, 100_000)]
    [Description("Side of the squares that regions are.")]
    public double RegionMetres { get; init; } = 6000;

    [Required]
    [Description("Sensors at every site; several of one type share out the circle.")]
    public IReadOnlyList<SensorType> Sensors { get; init; } = [];

    public SitePlannerSettings ToSettings() => new()
    {
        RoadKilometres = RoadKilometres,
        MinimumSites = MinimumSites,
        ServiceRadiusMetres = ServiceRadiusMetres,
        SitesPerEdge = SitesPerEdge,
        RegionMetres = RegionMetres,
        Sensors = Sensors,
    };
}

public enum PayloadChoice
{
    Json,
    Protobuf,
}

public sealed record OperationSection
{
    [Description("What computing units write their payloads in: json or protobuf.")]
    public PayloadChoice Payload { get; init; }

    [Range(0, 86_400)]
    [Description("Seconds from one running state of a device to the next; 0 sends none.")]
    public double HeartbeatSeconds { get; init; } = 60;

    [Range(0, 6000)]
    [Description("Events that each device makes up and reports, for trying how they are delivered.")]
    public double EventsPerMinute { get; init; }

    [Description("Events that devices report.")]
    public IReadOnlyList<EventSection> Events { get; init; } = [];
}

/// <summary>An event on the road.</summary>
public sealed record EventSection : IPositioned
{
    [Required]
    [Description("Site whose device reports it.")]
    public string Site { get; init; } = string.Empty;

    [Range(0, 1e7)]
    [Description("When it begins.")]
    public double AtSeconds { get; init; }

    [Range(0, 65_535)]
    [Description("Code of GB/T 29100.")]
    public int EventType { get; init; }

    [Range(-500, 500)]
    [Description("Place, from the site to the east.")]
    public double EastMetres { get; init; }

    [Range(-500, 500)]
    [Description("Place, from the site to the north.")]
    public double NorthMetres { get; init; }

    [Range(0, 6553)]
    [Description("Who is within it is concerned.")]
    public double RadiusMetres { get; init; } = 50;

    [Range(0, 86_400)]
    [Description("How long it lasts.")]
    public double DurationSeconds { get; init; } = 60;

    public int Line { get; set; }

    public int Column { get; set; }
}

public sealed record OutputSection
{
    [Range(0, 100)]
    [Description("Rows per second and track in the table 'tracks'; 0 leaves it empty.")]
    public double TracksRateHz { get; init; } = 10;

    [Range(0, 100)]
    [Description("Rows per second and road user in the table 'truth'; 0 leaves it empty.")]
    public double TruthRateHz { get; init; } = 10;

    [Description("Whether every message has a row in the table 'messages'.")]
    public bool Messages { get; init; } = true;
}
