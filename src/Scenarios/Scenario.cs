using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using V2XSim.Roads.Sites;
using V2XSim.Sensing;
using V2XSim.Tracking;
using V2XSim.Tracking.Edge;
using V2XSim.Traffic.Demand;

namespace V2XSim.Scenarios;

/// <summary>The content of a scenario file. File names are relative to the folder of the scenario.</summary>
public sealed record Scenario
{
    [Required]
    [Description("Short name, shown in reports.")]
    public string Name { get; init; } = string.Empty;

    [Description("What the scenario shows, in a sentence or two.")]
    public string Description { get; init; } = string.Empty;

    [Description("UTC at the start of the scenario, ISO 8601; or now, for real devices that keep UTC (with --clock wall only).")]
    public string StartUtc { get; init; } = "2026-06-01T00:00:00Z";

    [Range(0.1, 1_000_000)]
    [Description("Duration in simulated seconds. The run ends earlier when a recording ends.")]
    public double DurationSeconds { get; init; } = 60;

    [Range(0.01, 1)]
    [Description("Step length in seconds. Edge nodes fuse and publish once a step.")]
    public double StepSeconds { get; init; } = 0.1;

    [Description("Random seed; --seed overrides it.")]
    public ulong Seed { get; init; } = 1;

    [Required]
    [Description("Source of the roads.")]
    public RoadsSection? Roads { get; init; }

    [Required]
    [Description("Source of the road users.")]
    public TrafficSection? Traffic { get; init; }

    [Required]
    [Description("Sites of the roadside computing units.")]
    public SitesSection? Sites { get; init; }

    [Description("Network link from each device to the platform.")]
    public LinkSettings Uplink { get; init; } = new();

    [Description("Network link from the platform to each device.")]
    public LinkSettings Downlink { get; init; } = new();

    [Range(0, 50)]
    [Description("Lamp state messages per second from each site with a signal; 0 sends none.")]
    public double LampRateHz { get; init; } = 10;

    [Description("Signal messages, signal plans and guidance.")]
    public SignalsSection Signals { get; init; } = new();

    [Description("Device messages other than object lists: status and events.")]
    public OperationSection Operation { get; init; } = new();

    [Description("Connected vehicles that broadcast their position, and attackers among them.")]
    public ConnectedVehicleSettings Vehicles { get; init; } = new();

    [Description("Limits of the plausibility checks on vehicle messages.")]
    public PlausibilitySettings Plausibility { get; init; } = new();

    [Description("Settings of the tracker of the edge nodes.")]
    public TrackerSettings Tracker { get; init; } = new();

    [Description("true: edge nodes publish when the newest list of each sensor has arrived, at the latest at the end of the step. false: they publish at the end of the step, as with --clock wall.")]
    public bool PublishOnData { get; init; } = true;

    [Description("Recorded tables.")]
    public OutputSection Output { get; init; } = new();
}

/// <summary>How a signal changes over to another plan.</summary>
public enum PlanTransition
{
    Shortway,
    Dwell,
}

public sealed record SignalsSection
{
    [Range(0, 20)]
    [Description("SPAT frames per second from each site with a signal; 0 sends none. T/ITS 0117 requires at least one.")]
    public double SpatRateHz { get; init; } = 2;

    [Description("Street file of 'signals arterial'; the report then includes a time-space diagram of the driven trajectories.")]
    public string? Street { get; init; }

    [Description("Plans that regions send to the signal controllers.")]
    public IReadOnlyList<PlanChangeSection> Plans { get; init; } = [];

    [Description("Guidance of vehicles that approach a signal.")]
    public GuidanceSettings Guidance { get; init; } = new();
}

/// <summary>The plans of one file, sent at a given time.</summary>
public sealed record PlanChangeSection : IPositioned
{
    [Range(0, 1e7)]
    [Description("Time at which the region sends the plans.")]
    public double AtSeconds { get; init; }

    [Required]
    [Description("SUMO additional file; every tlLogic in it is sent to its signal. A tlLogic without phases changes the offset of the programme with the same programID in the network or the additional files.")]
    public string File { get; init; } = string.Empty;

    [Description("Transition to the new plan: shortway changes green times by at most a fifth of the cycle, dwell holds the first phase.")]
    public PlanTransition Transition { get; init; }

    public int Line { get; set; }

    public int Column { get; set; }
}

/// <summary>Source of the roads; exactly one must be given.</summary>
public sealed record RoadsSection
{
    [Description("SUMO network, .net.xml or .net.xml.gz.")]
    public string? SumoNet { get; init; }

    [Description("GeoJSON (WGS 84) with LineString roads; properties id, name, class, lanes (per direction), oneway, maxspeed (km/h). A Point with signal: true marks a signalised junction, where a site can be placed.")]
    public string? GeoJson { get; init; }

    [Description("Local origin of GeoJSON roads (default: the first point).")]
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

/// <summary>Source of the road users; exactly one must be given.</summary>
public sealed record TrafficSection
{
    [Description("SUMO floating-car data, .xml or .xml.gz.")]
    public string? Fcd { get; init; }

    [Description("Trajectories as CSV, plain or gzip, with a header line. Columns in any order: t (s), vehicle_id, x, y (vehicle centre in network coordinates, m); optional heading_rad (anticlockwise from east) or heading_deg (clockwise from north), speed (m/s), length, width, height (m), type, segment (separate recordings, played one after the other).")]
    public string? Csv { get; init; }

    [Description("Vehicles on random trips.")]
    public DemandSettings? Drive { get; init; }

    [Description("Vehicles simulated on a SUMO network, from SUMO demand or CSV tables of trips.")]
    public SimulationSection? Simulate { get; init; }

    [Description("Time in the recording at which the scenario starts (default: its first time step).")]
    public double? FromSeconds { get; init; }

    [Range(0, 60)]
    [Description("Longest gap in a vehicle's recording that is interpolated. In a longer gap the vehicle is absent.")]
    public double MaximumGapSeconds { get; init; } = 3;
}

/// <summary>Demand of the microscopic traffic simulation.</summary>
public sealed record SimulationSection
{
    [Description("Demand: SUMO route files (.rou.xml, .rou.xml.gz) or CSV tables of trips (.csv, .csv.gz).")]
    public IReadOnlyList<string> Routes { get; init; } = [];

    [Description("SUMO additional files: vehicle types, bus stops, signal programmes, offsets, timetables.")]
    public IReadOnlyList<string> Additional { get; init; } = [];

    [Range(0.001, 100)]
    [Description("Factor by which the demand of the files is multiplied.")]
    public double Scale { get; init; } = 1;

    [Range(0, 1e9)]
    [Description("Time in the demand files, and of the signal clock, at which the scenario starts.")]
    public double BeginSeconds { get; init; }

    [Range(100, 4000)]
    [Description("Saturation flow per lane at green; the parameters of the cars are fitted to it (default: the vehicle types' own parameters).")]
    public double? SaturationFlowVehiclesPerHour { get; init; }

    [Range(-2, 10)]
    [Description("Start-up lost time of a queue at the start of green; the parameters of the cars are fitted to it (default: the vehicle types' own parameters).")]
    public double? StartUpLossSeconds { get; init; }

    [Range(0, 86_400)]
    [Description("Time simulated before beginSeconds, so that the scenario starts with traffic on the road.")]
    public double WarmUpSeconds { get; init; }
}

/// <summary>Sites from a file, or planned at the start of each run.</summary>
public sealed record SitesSection
{
    [Description("Site plan file, created with 'v2xsim sites'.")]
    public string? File { get; init; }

    [Description("Settings for sites that are planned when the run starts.")]
    public PlanSection? Plan { get; init; }
}

public sealed record PlanSection
{
    [Range(0.001, 100_000)]
    [Description("Length of road to cover, along centre lines.")]
    public double RoadKilometres { get; init; } = 300;

    [Range(0, 100_000)]
    [Description("Minimum number of sites. Placement stops earlier when another site would cover no new road.")]
    public int MinimumSites { get; init; }

    [Range(10, 1000)]
    [Description("Radius around a site within which a road counts as covered.")]
    public double ServiceRadiusMetres { get; init; } = 250;

    [Range(1, 64)]
    [Description("Number of neighbouring sites that one edge node serves.")]
    public int SitesPerEdge { get; init; } = 1;

    [Range(100, 100_000)]
    [Description("Side length of a region; regions are squares.")]
    public double RegionMetres { get; init; } = 6000;

    [Required]
    [Description("Sensors at every site. Several sensors of one type are spread evenly over the full circle.")]
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
    [Description("Payload encoding of the computing units: json or protobuf.")]
    public PayloadChoice Payload { get; init; }

    [Range(0, 86_400)]
    [Description("Interval between the status reports of a device; 0 sends none.")]
    public double HeartbeatSeconds { get; init; } = 60;

    [Range(0, 6000)]
    [Description("Random events that each device reports, to test delivery.")]
    public double EventsPerMinute { get; init; }

    [Description("Events that devices report.")]
    public IReadOnlyList<EventSection> Events { get; init; } = [];
}

/// <summary>A traffic event that a device reports.</summary>
public sealed record EventSection : IPositioned
{
    [Required]
    [Description("Id of the site whose device reports the event.")]
    public string Site { get; init; } = string.Empty;

    [Range(0, 1e7)]
    [Description("Start time of the event.")]
    public double AtSeconds { get; init; }

    [Range(0, 65_535)]
    [Description("Event type code of GB/T 29100.")]
    public int EventType { get; init; }

    [Range(-500, 500)]
    [Description("Position of the event east of the site.")]
    public double EastMetres { get; init; }

    [Range(-500, 500)]
    [Description("Position of the event north of the site.")]
    public double NorthMetres { get; init; }

    [Range(0, 6553)]
    [Description("Radius within which the event concerns road users.")]
    public double RadiusMetres { get; init; } = 50;

    [Range(0, 86_400)]
    [Description("Duration of the event.")]
    public double DurationSeconds { get; init; } = 60;

    public int Line { get; set; }

    public int Column { get; set; }
}

public sealed record OutputSection
{
    [Range(0, 100)]
    [Description("Rows per second and track in the table 'tracks'; 0 leaves the table empty.")]
    public double TracksRateHz { get; init; } = 10;

    [Range(0, 100)]
    [Description("Rows per second and road user in the table 'truth'; 0 leaves the table empty.")]
    public double TruthRateHz { get; init; } = 10;

    [Description("Whether the table 'messages' gets a row for every message.")]
    public bool Messages { get; init; } = true;
}
