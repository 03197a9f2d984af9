
namespace V2XSim.Messages.Its0180;

/// <summary>
/// Payloads of T/ITS 0180.1-2021 as tables: names, types, ranges, what must be there. Facts of the standard, restated. Where the standard
/// leaves a unit open it is: m/s, degrees clockwise from north, m/s², degrees of WGS 84, metres, UTC milliseconds since 1970. What a
/// roadside unit (<c>rsu/…</c>) reports of itself has the fields of T/ITS 0117. JSON, Protobuf and the .proto are made from these tables.
/// </summary>
public static class PayloadCatalogue
{
    public const int MaximumItems = 1024;
    private const double LatestUnixMilliseconds = ParticipantCodec.LatestUnixMilliseconds;
    private const string CrossTypes = "0 cross 1 T 2 Y 3 roundabout 4 other";
    private const string DeviceTypes = "0 RSCU 1 RSU 2 camera 3 mm-wave radar 4 lidar 5 signal controller 6 other";

    private static readonly WireRecord Point = new("Point", Must(Real("longitude", -180, 180)), Must(Real("latitude", -90, 90)), Real("elevation", -1000, 10_000));

    private static readonly WireRecord PathPoint = new(
        "PathPoint", Must(Real("longitude", -180, 180)), Must(Real("latitude", -90, 90)), Real("elevation", -1000, 10_000), Time("timestamp"), Real("speed", 0, 163.82), Real("heading", 0, 360));

    private static readonly WireRecord FourWayAcceleration = new(
        "Acceleration", Real("longitudinal", -100, 100), Real("lateral", -100, 100), Real("vertical", -100, 100), Real("yawRate", -360, 360));

    private static readonly WireRecord MeasurementDetail = new(
        "Measurement",
        Real("rangeMetres", 0, 10_000),
        Real("azimuthDegrees", 0, 360),
        Real("radialSpeedMetresPerSecond", -200, 200),
        List(Real("covariance", -1e6, 1e6) with { Meaning = "xx, xy, yy in m²" }));

    public static WireRecord Participant { get; } = new(
        "Participant",
        Must(Time("timestamp")),
        Must(Code("ptcType", 5, "0 unknown 1 motor 2 non-motor 3 pedestrian 4 obstacle 5 other")),
        Must(Whole("ptcId", 0, 65_535)),
        Code("vehicleClass", 6, "0 unknown 1 passenger 2 truck 3 motorcycle 4 transport 5 emergency 6 other connected"),
        Code("vehicleStatus", 5, "0 normal 1 wrong way 2 speeding 3 hard braking 4 abandoned 5 other"),
        Code("sourceType", 8, "0 unknown 1 RSCU 2 RSU 3 video 4 lidar 5 mm-wave radar 6 microwave radar 7 loop 8 other"),
        Text("crossId"),
        Code("crossType", 4, CrossTypes),
        Text("crossName"),
        Text("linkName"),
        Text("linkId"),
        Text("laneId"),
        Must(Real("longitude", -180, 180)),
        Must(Real("latitude", -90, 90)),
        Real("elevation", -1000, 10_000),
        Real("positionConfidence", 0, 1e6),
        Code("status", 2, "1 still 2 moving"),
        Real("speed", 0, 163.82) with { Meaning = "m/s" },
        Real("speedConfidence", 0, 1e6),
        Real("heading", 0, 360) with { Meaning = "degrees clockwise from north" },
        Real("headingConfidence", 0, 1e6),
        Of("acceleration", FourWayAcceleration),
        Real("accelerationConfidence", 0, 1e6),
        Real("length", 0, ParticipantCodec.MaximumLengthMetres),
        Real("width", 0, ParticipantCodec.MaximumWidthMetres),
        Real("height", 0, ParticipantCodec.MaximumHeightMetres),
        List(Of("polygonPoint", Point)),
        Whole("tracking", 1, 65_535),
        List(Of("pathHistory", PathPoint)),
        List(Of("pathPlanning", PathPoint)),
        Text("colour"),
        Text("license"),
        Text("brand"),
        Of("measurement", MeasurementDetail));

    public static WireRecord ParticipantUp { get; } = new(
        "ParticipantUp",
        Must(Time("timeStamp")),
        Must(Text("rscuSn")),
        List(Of("ptcList", Participant)),
        Flag("ack"),
        Text("sensorSn"),
        Time("scanTimeStamp"));

    public static WireRecord RoadEvent { get; } = new(
        "RoadEvent",
        Text("eventId"),
        Must(Whole("eventType", 0, 65_535) with { Meaning = "GB/T 29100" }),
        Code("sourceType", 7, "0 unknown 1 this RSCU 2 RSU 3 video 4 lidar 5 mm-wave radar 6 microwave radar 7 loop"),
        Text("crossId"),
        Code("crossType", 4, CrossTypes),
        Text("crossName"),
        Text("linkName"),
        Text("linkId"),
        Text("laneId"),
        Time("startTime"),
        Time("endTime"),
        Must(Real("longitude", -180, 180)),
        Must(Real("latitude", -90, 90)),
        Real("elevation", -1000, 10_000),
        List(Of("polygonPoint", Point)),
        Real("speed", 0, 163.82),
        Real("speedConfidence", 0, 1e6),
        Real("heading", 0, 360),
        Real("headingConfidence", 0, 1e6),
        Whole("priority", 0, 255),
        Real("eventConfidence", 0, 1e6),
        List(Text("referenceLanes")),
        List(Of("ptcList", Participant)),
        Real("radiusMetres", 0, 6553.5) with { Meaning = "ours: who is within it is concerned" });

    /// <summary><c>event/up</c> and <c>event/down</c>.</summary>
    public static WireRecord Events { get; } = new("Events", Must(Time("timeStamp")), Must(Text("rscuSn")), List(Of("eventList", RoadEvent)), Flag("ack"));

    public static WireRecord DirectionFlow { get; } = new(
        "DirectionFlow",
        Must(Code("flowType", 4, "1 straight 2 left 3 right 4 U-turn")),
        Real("queueLength", 0, 1e5) with { Meaning = "m" },
        Whole("queueCount", 0, 1_000_000),
        Real("trafficFlow", 0, 1e6) with { Meaning = "passenger-car equivalents" },
        Whole("trafficNumber", 0, 1_000_000),
        Real("wasteTime", 0, 1e6) with { Meaning = "s" });

    public static WireRecord LaneFlow { get; } = new(
        "LaneFlow",
        Must(Text("laneId")),
        Must(List(Code("laneFlow", 4, "1 straight 2 left 3 right 4 U-turn"))),
        Real("queueLength", 0, 1e5) with { Meaning = "m" },
        Whole("queueCount", 0, 1_000_000),
        Code("congestionLevel", 3, "0 free 1 light 2 medium 3 heavy"),
        Real("trafficFlow", 0, 1e6) with { Meaning = "passenger-car equivalents" },
        Whole("trafficNumber", 0, 1_000_000),
        Real("wasteTime", 0, 1e6) with { Meaning = "s" });

    /// <summary><c>traffic/up</c> and <c>traffic/down</c>. The lists of flows within a branch are named by us: the standard's table has them without a name.</summary>
    public static WireRecord Traffic { get; } = new(
        "Traffic",
        Must(Time("timeStamp")),
        Must(Text("rscuSn")),
        Text("crossId"),
        Text("linkId"),
        Must(Whole("periodTime", 1, 6) with { Meaning = "1 signal cycle 2 one second 3 five seconds 4 sixty seconds 5 fifteen minutes 6 other" }),
        Must(Time("startTime")),
        Must(Time("endTime")),
        Real("duration", 0, 1e6) with { Meaning = "s" },
        List(Of("directionFlowData", new WireRecord("DirectionBranch", Must(Text("branchId")), Real("longitude", -180, 180), Real("latitude", -90, 90), Real("elevation", -1000, 10_000), List(Of("flows", DirectionFlow))))),
        List(Of("laneFlowData", new WireRecord("LaneBranch", Must(Text("branchId")), Real("longitude", -180, 180), Real("latitude", -90, 90), Real("elevation", -1000, 10_000), List(Of("lanes", LaneFlow))))),
        Flag("ack"));

    /// <summary>One lamp group in the main form. The names of its fields are ours: the standard's table has them in words.</summary>
    public static WireRecord SignalGroup { get; } = new(
        "LampGroup",
        Must(Whole("lampNumber", 0, 255)),
        Must(Whole("lampType", 1, 15) with { Meaning = "1 straight 2 left 3 right 4 motor 5 left non-motor 6 right non-motor 7 non-motor 8 pedestrian 9 U-turn 10 lane 11 crossing 12 warning 13 to 15 tram straight, left, right" }),
        Must(Whole("lampColour", 0, 63) with { Meaning = "bits 1-0 red, 3-2 yellow, 5-4 green; each 0 no lamp 1 off 2 on 3 flashing" }),
        Whole("remainingSeconds", 0, 255) with { Meaning = "0 unknown, 255 more than 254" },
        Whole("steps", 0, 255),
        List(Whole("stepSeconds", 0, 65_535)));

    public static WireRecord LampState { get; } = new(
        "LampState",
        Must(Whole("phaseId", 0, 65_535)),
        Must(Code("lightStatus", 8, "0 unknown 1 dark 2 flashing red 3 red 4 flashing green 5 green (round) 6 green (arrow) 7 yellow 8 flashing yellow")),
        Must(Real("countDown", 0, LampMessage.LongestSeconds) with { Meaning = "s" }),
        Must(Code("lightStatusNext", 8, "as lightStatus")),
        Must(Real("nextCountDown", 0, LampMessage.LongestSeconds)),
        Must(Code("lightStatusNextNext", 8, "as lightStatus")),
        Must(Real("nextNextCountDown", 0, LampMessage.LongestSeconds)),
        Must(Code("dataSource", 3, "0 unknown 1 capture card 2 controller 3 vision")));

    /// <summary><c>lamp/up</c> in both its forms: the main one has <c>timeStamp</c> and <c>cityName</c>, that of annex B <c>signalControllerStamp</c> and <c>cityCode</c>.</summary>
    public static WireRecord Lamp { get; } = new(
        "Lamp",
        Time("timeStamp"),
        Time("signalControllerStamp"),
        Text("rscuSn"),
        Text("cityName"),
        Text("cityCode"),
        Must(Text("regionId")),
        Must(Text("crossId")),
        Text("crossName"),
        Real("longitude", -180, 180),
        Real("latitude", -90, 90),
        Real("elevation", -1000, 10_000),
        Code("status", 3, "0 invalid 1 working 2 fault 3 other"),
        Code("crossRealStatus", 2, "0 normal 1 fault 2 other"),
        Whole("controlMode", 1, 53) with { Meaning = "main form 1 flashing yellow 2 multi-period 3 manual 4 actuated 5 cableless coordination 6 isolated optimisation 7 bus priority 8 emergency priority 9 other; annex B 11 off 12 all red 13 all flashing 21 fixed time 22 actuated 23 adaptive 31 line coordination 41 area coordination 51 manual 52 stage locked 53 forced plan" },
        Whole("number", 0, 255) with { Meaning = "approaches" },
        Real("direction", 0, 360),
        Real("confidence", 0, 1),
        Real("period", 0, LampMessage.LongestSeconds),
        Real("cycleCountDown", 0, LampMessage.LongestSeconds),
        List(Of("Lamplist", SignalGroup)),
        List(Of("lampRealInfos", LampState)),
        Flag("ack"))
    {
        Rule = m => m.Has("signalControllerStamp")
            ? (m.Has("cityCode") ? m.Has("lampRealInfos") ? null : "lampRealInfos" : "cityCode")
            : (m.Has("timeStamp") ? m.Has("cityName") ? null : "cityName" : "timeStamp"),
    };

    private static readonly WireRecord UnitDetail = new(
        "Unit", Must(Text("rsuSn")), Must(Code("deviceType", 6, DeviceTypes)), Real("longitude", -180, 180), Real("latitude", -90, 90), Real("elevation", -1000, 10_000));

    private static readonly WireRecord SensorDetail = new(
        "SensorUnit", Must(Text("sensorSn")), Must(Code("deviceType", 6, DeviceTypes)), Real("longitude", -180, 180), Real("latitude", -90, 90), Real("elevation", -1000, 10_000));

    public static WireRecord BasicStatus { get; } = new(
        "BasicStatus",
        Must(Time("timeStamp")),
        Whole("seqNum", 0, long.MaxValue),
        Must(Text("rscuSn")),
        Text("regionId"),
        Text("roadId"),
        Text("roadName"),
        Code("roadType", 9, "0 motorway 1 to 4 first to fourth class 5 urban expressway 6 arterial 7 secondary 8 local 9 other"),
        Text("crossId"),
        Code("crossType", 4, CrossTypes),
        Text("crossName"),
        Text("linkId"),
        Text("linkName"),
        Real("longitude", -180, 180),
        Real("latitude", -90, 90),
        Real("elevation", -1000, 10_000),
        Must(Code("deviceType", 6, DeviceTypes)),
        Text("supplier"),
        Text("owner"),
        Text("protocolVersion"),
        Text("imei"),
        Text("iccId"),
        Code("rscuStatus", 1, "0 normal 1 fault"),
        Must(Code("active", 1, "0 online 1 offline")),
        Text("transProtocal"),
        Text("softwareVersion"),
        Text("hardwareVersion"),
        Whole("rsuNum", 0, MaximumItems),
        List(Of("rsulist", UnitDetail)),
        Whole("sensorNum", 0, MaximumItems),
        List(Of("sensorlist", SensorDetail)),
        Flag("ack"));

    public static WireRecord RunStatus { get; } = new(
        "RunStatus",
        Must(Time("timeStamp")),
        Must(Text("rscuSn")),
        Text("regionId"),
        Real("longitude", -180, 180),
        Real("latitude", -90, 90),
        Real("elevation", -1000, 10_000),
        Code("rscuStatus", 1, "0 normal 1 fault"),
        Must(Code("active", 1, "0 online 1 offline")),
        Whole("rsuNum", 0, MaximumItems),
        List(Of("rsuStatusList", new WireRecord("UnitStatus", Must(Text("rsuSn")), Must(Code("deviceType", 6, DeviceTypes)), Code("status", 1, "0 normal 1 fault"), Must(Code("active", 1, "0 online 1 offline"))))),
        Whole("sensorNum", 0, MaximumItems),
        List(Of("sensorStatusList", new WireRecord("SensorStatus", Must(Text("sensorSn")), Must(Code("deviceType", 6, DeviceTypes)), Code("status", 1, "0 normal 1 fault"), Must(Code("active", 1, "0 online 1 offline"))))),
        List(Of("faultList", new WireRecord("Fault", Must(Text("deviceSn")), Must(Code("deviceType", 6, DeviceTypes)), Whole("faultType", 0, 65_535), Time("faultTime"), Text("faultDescription")))),
        Flag("ack"));

    /// <summary><c>v2x/up</c> and <c>v2x/down</c>: messages of T/CSAE 53 inside.</summary>
    public static WireRecord V2x { get; } = new(
        "V2x",
        Must(Time("timeStamp")),
        Must(Text("rscuSn")),
        List(new WireField("bsm", WireKind.Frame)),
        List(new WireField("map", WireKind.Frame)),
        List(new WireField("rsm", WireKind.Frame)),
        List(new WireField("spat", WireKind.Frame)),
        List(new WireField("rsi", WireKind.Frame)),
        List(new WireField("ssm", WireKind.Frame)),
        Flag("ack"))
    {
        Rule = m => m.Has("bsm") || m.Has("map") || m.Has("rsm") || m.Has("spat") || m.Has("rsi") || m.Has("ssm") ? null : "bsm, map, rsm, spat, rsi or ssm",
    };

    public static WireRecord OmConfig { get; } = new(
        "OmConfig",
        Whole("seqNum", 0, long.MaxValue),
        Must(Text("rscuSn")),
        Must(Time("timeStamp")),
        Text("protocolVersion"),
        Whole("hbRate", 0, 86_400) with { Meaning = "s, 0 off" },
        Whole("runningInfoRate", 0, 86_400) with { Meaning = "s, 0 off" },
        Text("addressChg"),
        Code("logLevel", 4, "0 debug 1 info 2 warn 3 error 4 none"),
        Must(Whole("time", 0, LatestUnixMilliseconds) with { Meaning = "0 at once, or UTC ms" }),
        Must(Code("power", 2, "0 on 1 off 2 restart")),
        Flag("ack"));

    /// <summary><c>config/down</c> of a computing unit: how often it reports what; the names are ours, the standard leaves them to the parties.</summary>
    public static WireRecord Config { get; } = new(
        "Config",
        Must(Time("timeStamp")),
        Must(Text("rscuSn")),
        Whole("seqNum", 0, long.MaxValue),
        Real("participantRateHz", 0, 50) with { Meaning = "most lists of each sensor per second, 0 none" },
        Real("lampRateHz", 0, 50) with { Meaning = "lamp messages per second, 0 none" },
        Flag("ack"));

    /// <summary>
    /// <c>sc/…/plan/down</c>, ours: the programme that a signal is to run. Without phases it names one that the controller has. The offset says
    /// when phase <c>offsetPhase</c> begins, in seconds after the zero of the signals' common clock.
    /// </summary>
    public static WireRecord SignalPlan { get; } = new(
        "SignalPlan",
        Must(Time("timeStamp")),
        Must(Text("rscuSn")),
        Whole("seqNum", 0, long.MaxValue),
        Must(Text("crossId")),
        Must(Text("programId")),
        Real("offset", -86_400, 86_400) with { Meaning = "s; the programme's own when absent" },
        Whole("offsetPhase", 0, 255) with { Meaning = "the phase whose beginning the offset states; 0 when absent" },
        Must(Code("transition", 2, "1 dwell 2 short way") with { Low = 1 }),
        Time("startTime") with { Meaning = "UTC ms; at once when absent" },
        List(Of("phases", new WireRecord(
            "PlanPhase",
            Must(Text("state")) with { Meaning = "a letter for each movement, as in SUMO: G g y r u s o O" },
            Must(Real("duration", 0, 3600)) with { Meaning = "s" }))),
        Flag("ack"));

    /// <summary><c>sc/…/priority/down</c>, ours: a vehicle on call that is to find green, or that has passed.</summary>
    public static WireRecord PriorityOrder { get; } = new(
        "PriorityOrder",
        Must(Time("timeStamp")),
        Must(Text("rscuSn")),
        Whole("seqNum", 0, long.MaxValue),
        Must(Text("crossId")),
        Must(Text("vehicleId")) with { Meaning = "as in its BSM, 16 hexadecimal digits" },
        Must(Code("action", 1, "0 it has passed 1 let it through")),
        Whole("phaseId", 0, 65_535) with { Meaning = "lamp group that it needs" },
        Time("wantedTime") with { Meaning = "UTC ms, when green is to be there" },
        Time("untilTime") with { Meaning = "UTC ms, when it is let go in any case" },
        Flag("ack"))
    {
        Rule = m => m.Integer("action") == 0 || (m.Has("phaseId") && m.Has("wantedTime") && m.Has("untilTime")) ? null : "phaseId, wantedTime and untilTime",
    };

    /// <summary><c>sc/…/priority/up</c>, ours: what a controller made of a call.</summary>
    public static WireRecord PriorityReport { get; } = new(
        "PriorityReport",
        Must(Time("timeStamp")),
        Must(Text("rscuSn")),
        Whole("seqNum", 0, long.MaxValue),
        Must(Text("crossId")),
        Must(Text("vehicleId")),
        Must(Code("state", 2, "0 refused 1 green is there 2 over")),
        Text("description"),
        Flag("ack"));

    /// <summary><c>rsu/…/advice/down</c>, ours: speeds at which vehicles find green.</summary>
    public static WireRecord SpeedAdvice { get; } = new(
        "SpeedAdvice",
        Must(Time("timeStamp")),
        Must(Text("rsuEsn")),
        List(Of("adviceList", new WireRecord(
            "VehicleAdvice",
            Must(Text("vehicleId")) with { Meaning = "as in its BSM, 16 hexadecimal digits" },
            Must(Real("speed", 0, 163.82)) with { Meaning = "m/s" },
            Must(Time("untilTime")),
            Text("crossId"),
            Whole("phaseId", 0, 65_535),
            Code("reason", 1, "1 to arrive at green")))));

    /// <summary><c>query/down</c>: what a unit is asked; the answer is in its confirmation.</summary>
    public static WireRecord Query { get; } = new(
        "Query",
        Must(Time("timeStamp")),
        Must(Text("rscuSn")),
        Whole("seqNum", 0, long.MaxValue),
        Must(Code("infoId", 2, "0 running state 1 counts of messages 2 devices")),
        Code("interval", 3, "0 an hour 1 a day 2 a week 3 since start"),
        Flag("ack"));

    private static readonly WireRecord UnitLimits = new("UnitLimits", Whole("upLimit", -1, 10_000), Whole("downLimit", -1, 10_000));

    private static readonly WireRecord BsmLimits = new(
        "BsmLimits", Text("sampleMode") with { Meaning = "ByAll or ByID" }, Whole("sampleRate", 0, 10_000), Whole("actualSampleRate", 0, 10_000), Whole("upLimit", -1, 10_000));

    private static readonly WireRecord RsiLimits = new(
        "RsiLimits", Whole("maxRsiNum", 0, 65_535), Whole("curRsiNum", 0, 65_535), List(Of("downRsis", new WireRecord("DownRsi", Must(Text("alertID")), Text("eTag")))));

    private static readonly WireRecord MapVersion = new("MapVersion", Text("mapSlice"), Text("eTag"));

    private static readonly WireRecord UnitConfigDetail = new(
        "UnitConfigDetail", Of("mapConfig", MapVersion), Of("bsmConfig", BsmLimits), Of("rsiConfig", RsiLimits), Of("spatConfig", UnitLimits), Of("rsmConfig", UnitLimits));

    /// <summary><c>info/up</c> of a roadside unit; a longitude of 180.0000001 and a latitude of 90.0000001 are not known.</summary>
    public static WireRecord UnitInfo { get; } = new(
        "UnitInfo",
        Must(Text("rsuId")),
        Must(Text("rsuEsn")),
        Text("rsuName"),
        Text("version"),
        Text("rsuStatus"),
        Of("location", new WireRecord("UnitLocation", Must(Real("lon", -180, 180.0000001)), Must(Real("lat", -90, 90.0000001)))),
        Of("config", UnitConfigDetail),
        Flag("ack"),
        Whole("seqNum", 0, long.MaxValue),
        Time("timestamp"));

    public static WireRecord UnitConfig { get; } = new(
        "UnitConfig",
        Of("mapConfig", MapVersion),
        Of("bsmConfig", BsmLimits),
        Of("rsiConfig", RsiLimits),
        Of("spatConfig", UnitLimits),
        Of("rsmConfig", UnitLimits),
        Flag("ack"),
        Whole("seqNum", 0, long.MaxValue));

    public static WireRecord UnitRunStatus { get; } = new(
        "UnitRunStatus",
        Whole("seqNum", 0, long.MaxValue),
        Must(Text("rsuId")),
        Must(Text("rsuEsn")),
        Must(Time("timestamp")),
        Text("protocolVersion"),
        Text("rsuStatus"),
        Of("runningInfo", new WireRecord(
            "RunningInfo",
            Of("cpu", new WireRecord("Processor", Real("load", 0, 1e6), Real("uti", 0, 1e6))),
            Of("mem", new WireRecord("Memory", Real("total", 0, 1e12), Real("used", 0, 1e12), Real("free", 0, 1e12))),
            Of("disk", new WireRecord("Disk", Real("total", 0, 1e12), Real("used", 0, 1e12), Real("free", 0, 1e12), Real("tps", 0, 1e12), Real("write", 0, 1e12), Real("read", 0, 1e12))),
            Of("net", new WireRecord("Net", Real("rx", 0, 1e12), Real("tx", 0, 1e12), Real("rxByte", 0, 1e12), Real("txByte", 0, 1e12))))),
        Flag("ack"));

    public static WireRecord UnitBasicStatus { get; } = new(
        "UnitBasicStatus",
        Whole("seqNum", 0, long.MaxValue),
        Must(Text("rsuId")),
        Must(Text("rsuEsn")),
        Must(Time("timestamp")),
        Text("protocolVersion"),
        Text("regionId"),
        Text("imei"),
        Text("iccid"),
        Text("communicationType"),
        List(Of("deviceStatus", new WireRecord("UnitDevice", Must(Text("deviceId")), Text("devicetype"), Of("Status", new WireRecord("UnitDeviceStatus", Whole("powerStatus", 1, 3), Whole("runStatus", 1, 3), Whole("networkStatus", 1, 4)))))),
        Of("location", new WireRecord("BasicLocation", Must(Real("lon", -180, 180.0000001)), Must(Real("lat", -90, 90.0000001)))),
        Text("transprotocal"),
        Text("softwareVersion"),
        Text("hardwareVersion"),
        Flag("ack"));

    /// <summary><c>map/up</c> and <c>map/down</c> with the version around it; the plain frame is allowed as well.</summary>
    public static WireRecord MapSlice { get; } = new(
        "MapSlice", Text("mapSlice"), Must(new WireField("map", WireKind.Frame) { IsList = true }), Text("eTag"), Flag("ack"), Whole("seqNum", 0, long.MaxValue));

    public static WireRecord UnitOmConfig { get; } = new(
        "UnitOmConfig",
        Whole("seqNum", 0, long.MaxValue),
        Text("rsuId"),
        Must(Text("rsuEsn")),
        Time("timestamp"),
        Text("protocolVersion"),
        Whole("HBRate", 0, 86_400) with { Meaning = "s, 0 off" },
        Whole("RunningInfoRate", 0, 86_400) with { Meaning = "s, 0 off" },
        Of("addressChg", new WireRecord("AddressChange", Must(Text("cssUrl")), Time("time"))),
        Text("logLevel"),
        Code("reboot", 1, "0 no 1 yes"),
        Text("extendConfig"),
        Flag("ack"));

    /// <summary><c>versions/query</c>.</summary>
    public static WireRecord VersionsQuery { get; } = new("VersionsQuery", Must(Text("rsuEsn")), Time("timestamp"), Whole("seqNum", 0, long.MaxValue));

    public static WireRecord Versions { get; } = new(
        "Versions",
        Must(Text("rsuEsn")),
        Must(Time("timestamp")),
        Whole("seqNum", 0, long.MaxValue),
        List(Of("versions", new WireRecord("ComponentVersion", Must(Text("component")), Must(Text("version"))))));

    public static WireRecord Upgrade { get; } = new(
        "Upgrade",
        Must(Text("rsuEsn")),
        Must(Time("timestamp")),
        Whole("seqNum", 0, long.MaxValue),
        Must(Text("version")),
        Must(Text("downloadUrl")),
        Must(Text("MD5")),
        Whole("updateTime", 0, LatestUnixMilliseconds) with { Meaning = "0 at once, or UTC ms" });

    public static WireRecord UpgradeStatus { get; } = new(
        "UpgradeStatus",
        Must(Text("rsuEsn")),
        Must(Time("timestamp")),
        Whole("seqNum", 0, long.MaxValue),
        Must(Text("version")),
        Must(Code("status", 3, "0 waiting 1 running 2 done 3 failed")),
        Text("description"));

    /// <summary>
    /// Any confirmation, on the topic of what it confirms plus <c>/ack</c>. A sender finds what is confirmed by <c>seqNum</c>, or by
    /// <c>ackTimeStamp</c>, the time stamp of the message, when it numbers nothing.
    /// </summary>
    public static WireRecord Ack { get; } = new(
        "Ack",
        Must(Time("timeStamp")),
        Must(Text("rscuSn")),
        Whole("seqNum", 0, long.MaxValue),
        Time("ackTimeStamp"),
        Must(Code("errorCode", 2, "0 done 1 bad parameter 2 local failure")),
        Text("errorDesc"),
        List(Text("errorList")) with { Meaning = "ours: each thing that is wrong, where there are several" },
        Of("answer", new WireRecord(
            "Answer",
            Of("running", new WireRecord("RunningAnswer", Must(Code("active", 1, "0 online 1 offline")), Must(Code("rscuStatus", 1, "0 normal 1 fault")))),
            Of("counts", new WireRecord("CountsAnswer", Must(Whole("generated", 0, long.MaxValue)), Must(Whole("sent", 0, long.MaxValue)), Must(Whole("received", 0, long.MaxValue)))),
            List(Text("devices")))));

    /// <summary>Every payload, in the order of the .proto.</summary>
    public static IReadOnlyList<WireRecord> All { get; } =
    [
        ParticipantUp, Events, Traffic, Lamp, BasicStatus, RunStatus, V2x, OmConfig, Config, Query,
        UnitInfo, UnitConfig, UnitRunStatus, UnitBasicStatus, MapSlice, UnitOmConfig, VersionsQuery, Versions, Upgrade, UpgradeStatus, Ack,
        SignalPlan, PriorityOrder, PriorityReport, SpeedAdvice,
    ];

    public static WireRecord? Named(string name) => All.FirstOrDefault(r => string.Equals(r.Name, name, StringComparison.OrdinalIgnoreCase));

    private static WireField Must(WireField field) => field with { IsRequired = true };

    private static WireField List(WireField field) => field with { IsList = true };

    private static WireField Whole(string name, double low, double high) => new(name, WireKind.Integer) { Low = low, High = high };

    private static WireField Time(string name) => Whole(name, 0, LatestUnixMilliseconds) with { Meaning = "UTC ms" };

    private static WireField Code(string name, int high, string meaning) => Whole(name, 0, high) with { Meaning = meaning };

    private static WireField Real(string name, double low, double high) => new(name, WireKind.Real) { Low = low, High = high };

    private static WireField Text(string name) => new(name, WireKind.Text);

    private static WireField Flag(string name) => new(name, WireKind.Flag);

    private static WireField Of(string name, WireRecord type) => new(name, WireKind.Record) { Type = type };
}
