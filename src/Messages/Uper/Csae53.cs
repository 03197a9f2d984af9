using T = V2XSim.Messages.Uper.UperType;

namespace V2XSim.Messages.Uper;

/// <summary>
/// The messages of T/CSAE 53-2020 as tables: order and bounds of fields, names of values, what may be absent and what may be extended.
/// Facts of the standard, restated; units after its field list.
/// </summary>
public static class Csae53
{
    private static readonly T Count = T.Integer(0, 127);
    private static readonly T Id8 = T.OctetString(8, 8);
    private static readonly T Number16 = T.Integer(0, 65_535);
    private static readonly T Number8 = T.Integer(0, 255);
    private static readonly T Second = T.Integer(0, 65_535, 1, "Milliseconds", 65_535);
    private static readonly T Minute = T.Integer(0, 527_040, 1, "Minutes", 527_040);
    private static readonly T Latitude = T.Integer(-900_000_000, 900_000_001, 1e-7, "Degrees", 900_000_001);
    private static readonly T Longitude = T.Integer(-1_799_999_999, 1_800_000_001, 1e-7, "Degrees", 1_800_000_001);
    private static readonly T Elevation = T.Integer(-4096, 61_439, 0.1, "Metres", -4096);
    private static readonly T Speed = T.Integer(0, 8191, 0.02, "MetresPerSecond", 8191);
    private static readonly T Heading = T.Integer(0, 28_800, 0.0125, "Degrees", 28_800);
    private static readonly T CoarseHeading = T.Integer(0, 240, 1.5, "Degrees", 240);
    private static readonly T SteeringAngle = T.Integer(-126, 127, 1.5, "Degrees", 127);
    private static readonly T Confidence = T.Integer(0, 200, 0.005, "Share");
    private static readonly T Radius = T.Integer(0, 65_535, 0.1, "Metres");
    private static readonly T LaneWidth = T.Integer(0, 32_767, 0.01, "Metres");
    private static readonly T TimeMark = T.Integer(0, 36_001, 0.1, "Seconds", 36_001);

    private static readonly T TimeConfidence = T.Enumerated(false, TimeConfidenceNames());

    private static readonly T Transmission = T.Enumerated(false, "neutral park forwardGears reverseGears reserved1 reserved2 reserved3 unavailable");

    private static readonly T Position = T.Sequence(false, Must("lat", Latitude), Must("long", Longitude), May("elevation", Elevation));

    private static readonly T PositionAccuracy = T.Sequence(
        false,
        Must("semiMajor", T.Integer(0, 255, 0.05, "Metres", 255)),
        Must("semiMinor", T.Integer(0, 255, 0.05, "Metres", 255)),
        Must("orientation", T.Integer(0, 65_535, 360.0 / 65_535, "Degrees", 65_535)));

    private static readonly T PositionConfidence = T.Sequence(
        false,
        Must("pos", T.Enumerated(false, "unavailable a500m a200m a100m a50m a20m a10m a5m a2m a1m a50cm a20cm a10cm a5cm a2cm a1cm")),
        May("elevation", T.Enumerated(
            false,
            "unavailable elev-500-00 elev-200-00 elev-100-00 elev-050-00 elev-020-00 elev-010-00 elev-005-00 elev-002-00 elev-001-00 elev-000-50 elev-000-20 elev-000-10 elev-000-05 elev-000-02 elev-000-01")));

    private static readonly T MotionConfidence = T.Sequence(
        false,
        May("speedCfd", T.Enumerated(false, "unavailable prec100ms prec10ms prec5ms prec1ms prec0-1ms prec0-05ms prec0-01ms")),
        May("headingCfd", T.Enumerated(false, "unavailable prec10deg prec05deg prec01deg prec0-1deg prec0-05deg prec0-01deg prec0-0125deg")),
        May("steerCfd", T.Enumerated(false, "unavailable prec2deg prec1deg prec0-02deg")));

    private static readonly T Acceleration = T.Sequence(
        false,
        Must("long", T.Integer(-2000, 2001, 0.01, "MetresPerSecondSquared", 2001)),
        Must("lat", T.Integer(-2000, 2001, 0.01, "MetresPerSecondSquared", 2001)),
        Must("vert", T.Integer(-127, 127, 0.02 * 9.80665, "MetresPerSecondSquared", -127)),
        Must("yaw", T.Integer(-32_767, 32_767, 0.01, "DegreesPerSecond")));

    private static readonly T Size = T.Sequence(
        false,
        Must("width", T.Integer(0, 1023, 0.01, "Metres")),
        Must("length", T.Integer(0, 4095, 0.01, "Metres")),
        May("height", T.Integer(0, 127, 0.05, "Metres")));

    private static readonly T VehicleClass = T.Sequence(true, Must("classification", Number8), May("fuelType", T.Integer(0, 15)));

    private static readonly T OffsetV = T.Choice(
        false,
        Must("offset1", Offset(7, 0.1)),
        Must("offset2", Offset(8, 0.1)),
        Must("offset3", Offset(9, 0.1)),
        Must("offset4", Offset(10, 0.1)),
        Must("offset5", Offset(11, 0.1)),
        Must("offset6", Offset(12, 0.1)),
        Must("elevation", Elevation));

    private static readonly T OffsetLL = T.Choice(
        false,
        Must("position-LL1", Pair(12)),
        Must("position-LL2", Pair(14)),
        Must("position-LL3", Pair(16)),
        Must("position-LL4", Pair(18)),
        Must("position-LL5", Pair(22)),
        Must("position-LL6", Pair(24)),
        Must("position-LatLon", T.Sequence(false, Must("lon", Longitude), Must("lat", Latitude))));

    private static readonly T PositionOffset = T.Sequence(false, Must("offsetLL", OffsetLL), May("offsetV", OffsetV));

    private static readonly T NodeId = T.Sequence(false, May("region", Number16), Must("id", Number16));

    private static readonly T BasicSafetyMessage = T.Sequence(
        true,
        Must("msgCnt", Count),
        Must("id", Id8),
        Must("secMark", Second),
        May("timeConfidence", TimeConfidence),
        Must("pos", Position),
        May("posAccuracy", PositionAccuracy),
        May("posConfidence", PositionConfidence),
        Must("transmission", Transmission),
        Must("speed", Speed),
        Must("heading", Heading),
        May("angle", SteeringAngle),
        May("motionCfd", MotionConfidence),
        Must("accelSet", Acceleration),
        Must("brakes", Brakes()),
        Must("size", Size),
        Must("vehicleClass", VehicleClass),
        May("safetyExt", SafetyExtension()),
        May("emergencyExt", EmergencyExtension()));

    private static readonly T RoadsideSafetyMessage = T.Sequence(
        true,
        Must("msgCnt", Count),
        Must("id", Id8),
        Must("refPos", Position),
        Must("participants", T.SequenceOf(
            T.Sequence(
                true,
                Must("ptcType", T.Enumerated(true, "unknown motor non-motor pedestrian rsu")),
                Must("ptcId", Number16),
                Must("source", T.Enumerated(true, "unknown selfinfo v2x video microwaveRadar loop lidar integrated")),
                May("id", Id8),
                Must("secMark", Second),
                Must("pos", PositionOffset),
                Must("posConfidence", PositionConfidence),
                May("transmission", Transmission),
                Must("speed", Speed),
                Must("heading", Heading),
                May("angle", SteeringAngle),
                May("motionCfd", MotionConfidence),
                May("accelSet", Acceleration),
                Must("size", Size),
                May("vehicleClass", VehicleClass)),
            1,
            16)));

    private static readonly T SignalPhaseAndTiming = T.Sequence(
        true,
        Must("msgCnt", Count),
        May("moy", Minute),
        May("timeStamp", Second),
        May("name", T.Text(1, 63)),
        Must("intersections", T.SequenceOf(
            T.Sequence(
                true,
                Must("intersectionId", NodeId),
                Must("status", T.BitString(16)),
                May("moy", Minute),
                May("timeStamp", Second),
                May("timeConfidence", TimeConfidence),
                Must("phases", T.SequenceOf(
                    T.Sequence(
                        false,
                        Must("id", Number8),
                        Must("phaseStates", T.SequenceOf(
                            T.Sequence(
                                true,
                                Must("light", T.Enumerated(true, "unavailable dark flashing-red red flashing-green permissive-green protected-green yellow flashing-yellow")),
                                May("timing", Timing())),
                            1,
                            16))),
                    1,
                    16))),
            1,
            32)));

    private static readonly T MapData = T.Sequence(
        true,
        Must("msgCnt", Count),
        May("timeStamp", Minute),
        Must("nodes", T.SequenceOf(
            T.Sequence(
                true,
                May("name", T.Text(1, 63)),
                Must("id", NodeId),
                Must("refPos", Position),
                May("inLinks", T.SequenceOf(Link(), 1, 32))),
            1,
            63)));

    private static readonly T RoadsideInformation = T.Sequence(
        true,
        Must("msgCnt", Count),
        May("moy", Minute),
        Must("id", Id8),
        Must("refPos", Position),
        May("rtes", T.SequenceOf(
            T.Sequence(
                true,
                Must("rteId", Number8),
                Must("eventType", Number16),
                Must("eventSource", T.Enumerated(true, "unknown police government meteorological internet detection")),
                May("eventPos", PositionOffset),
                May("eventRadius", Radius),
                May("description", Description()),
                May("timeDetails", TimeDetails()),
                May("priority", T.OctetString(1, 1)),
                May("referencePaths", ReferencePaths()),
                May("referenceLinks", ReferenceLinks()),
                May("eventConfidence", Confidence)),
            1,
            8)),
        May("rtss", T.SequenceOf(
            T.Sequence(
                true,
                Must("rtsId", Number8),
                Must("signType", Number16),
                May("signPos", PositionOffset),
                May("description", Description()),
                May("timeDetails", TimeDetails()),
                May("priority", T.OctetString(1, 1)),
                May("referencePaths", ReferencePaths()),
                May("referenceLinks", ReferenceLinks())),
            1,
            16)));

    /// <summary>Any message; frames of newer sets (Day II) are additions, kept as octets.</summary>
    public static T MessageFrame { get; } = T.Choice(
        true,
        Must("bsmFrame", BasicSafetyMessage),
        Must("mapFrame", MapData),
        Must("rsmFrame", RoadsideSafetyMessage),
        Must("spatFrame", SignalPhaseAndTiming),
        Must("rsiFrame", RoadsideInformation));

    private static UperField Must(string name, T type) => new(name, type, IsOptional: false);

    private static UperField May(string name, T type) => new(name, type, IsOptional: true);

    private static T Offset(int bits, double scale) => T.Integer(-(1L << (bits - 1)), (1L << (bits - 1)) - 1, scale, scale == 0.1 ? "Metres" : "Degrees");

    private static T Pair(int bits) => T.Sequence(false, Must("lon", Offset(bits, 1e-7)), Must("lat", Offset(bits, 1e-7)));

    /// <summary>unavailable, 100 s, then 50, 20, 10 s, then 2, 1 and 0.5 of each decade down to 10⁻¹⁴ s: written digit group by digit group.</summary>
    private static string TimeConfidenceNames()
    {
        var names = new List<string> { "unavailable", "time-100-000", "time-050-000", "time-020-000", "time-010-000", "time-002-000", "time-001-000" };
        string prefix = "time-000-";
        names.AddRange(new[] { "500", "200", "100", "050", "020", "010", "005", "002", "001" }.Select(d => prefix + d));
        prefix += "000-";
        string[] tail = ["5", "2", "1", "05", "02", "01", "005", "002", "001"];
        names.AddRange(tail.Select(d => prefix + d));
        prefix += "000-";
        names.AddRange(tail.Select(d => prefix + d));
        prefix += "000-";
        names.AddRange(tail.Take(6).Select(d => prefix + d));
        return string.Join(' ', names);
    }

    private static T Brakes() => T.Sequence(
        false,
        May("brakePadel", T.Enumerated(false, "unavailable off on")),
        May("wheelBrakes", T.BitString(5)),
        May("traction", T.Enumerated(false, "unavailable off on engaged")),
        May("abs", T.Enumerated(false, "unavailable off on engaged")),
        May("scs", T.Enumerated(false, "unavailable off on engaged")),
        May("brakeBoost", T.Enumerated(false, "unavailable off on")),
        May("auxBrakes", T.Enumerated(false, "unavailable off on reserved")));

    private static T SafetyExtension() => T.Sequence(
        true,
        May("events", T.BitString(13, extensible: true)),
        May("pathHistory", T.Sequence(
            true,
            May("initialPosition", T.Sequence(
                true,
                May("utcTime", T.Sequence(
                    false,
                    May("year", T.Integer(0, 4095)),
                    May("month", T.Integer(0, 12)),
                    May("day", T.Integer(0, 31)),
                    May("hour", T.Integer(0, 24)),
                    May("minute", T.Integer(0, 60)),
                    May("second", Second),
                    May("offset", T.Integer(-720, 721)))),
                Must("pos", Position),
                May("heading", Heading),
                May("transmission", Transmission),
                May("speed", Speed),
                May("posAccuracy", PositionAccuracy),
                May("posConficence", PositionConfidence),
                May("timeConfidence", TimeConfidence),
                May("motionCfd", MotionConfidence))),
            May("currGNSSstatus", T.BitString(8)),
            Must("crumbData", T.SequenceOf(
                T.Sequence(
                    true,
                    Must("llvOffset", PositionOffset),
                    Must("timeOffset", T.Integer(1, 65_535, 0.01, "Seconds", 65_535)),
                    May("speed", Speed),
                    May("posAccuracy", PositionConfidence),
                    May("heading", CoarseHeading)),
                1,
                23)))),
        May("pathPrediction", T.Sequence(
            true,
            Must("radiusOfCurve", T.Integer(-32_767, 32_767, 0.1, "Metres", 32_767)),
            Must("confidence", Confidence))),
        May("lights", T.BitString(9, extensible: true)));

    private static T EmergencyExtension() => T.Sequence(
        true,
        May("responseType", T.Enumerated(true, "notInUseOrNotEquipped emergency nonEmergency pursuit stationary slowMoving stopAndGoMovement")),
        May("sirenUse", T.Enumerated(false, "unavailable notInUse inUse reserved")),
        May("lightsUse", T.Enumerated(false, "unavailable notInUse inUse yellowCautionLights schooldBusLights arrowSignsActive slowMovingVehicle freqStops")));

    private static T Timing() => T.Choice(
        true,
        Must("counting", T.Sequence(
            false,
            Must("startTime", TimeMark),
            May("minEndTime", TimeMark),
            May("maxEndTime", TimeMark),
            Must("likelyEndTime", TimeMark),
            May("timeConfidence", Confidence),
            May("nextStartTime", TimeMark),
            May("nextDuration", TimeMark))),
        Must("utcTiming", T.Sequence(
            false,
            Must("startUTCTime", TimeMark),
            May("minEndUTCTime", TimeMark),
            May("maxEndUTCTime", TimeMark),
            Must("likelyEndUTCTime", TimeMark),
            May("timeConfidence", Confidence),
            May("nextStartUTCTime", TimeMark),
            May("nextEndUTCTime", TimeMark))));

    private static T Link()
    {
        T points = T.SequenceOf(T.Sequence(true, Must("posOffset", PositionOffset)), 2, 31);
        T speedLimits = T.SequenceOf(
            T.Sequence(
                false,
                Must("type", T.Enumerated(
                    true,
                    "unknown maxSpeedInSchoolZone maxSpeedInSchoolZoneWhenChildrenArePresent maxSpeedInConstructionZone vehicleMinSpeed vehicleMaxSpeed vehicleNightMaxSpeed truckMinSpeed truckMaxSpeed truckNightMaxSpeed vehiclesWithTrailersMinSpeed vehiclesWithTrailersMaxSpeed vehiclesWithTrailersNightMaxSpeed")),
                Must("speed", Speed)),
            1,
            9);
        T maneuvers = T.BitString(12), wide = T.BitString(16);
        return T.Sequence(
            true,
            May("name", T.Text(1, 63)),
            Must("upstreamNodeId", NodeId),
            May("speedLimits", speedLimits),
            May("linkWidth", LaneWidth),
            May("points", points),
            May("movements", T.SequenceOf(T.Sequence(false, Must("remoteIntersection", NodeId), May("phaseId", Number8)), 1, 32)),
            Must("lanes", T.SequenceOf(
                T.Sequence(
                    true,
                    Must("laneID", Number8),
                    May("laneWidth", LaneWidth),
                    May("laneAttributes", T.Sequence(
                        false,
                        May("shareWith", T.BitString(10)),
                        Must("laneType", T.Choice(
                            true,
                            Must("vehicle", T.BitString(8, extensible: true)),
                            Must("crosswalk", wide),
                            Must("bikeLane", wide),
                            Must("sidewalk", wide),
                            Must("median", wide),
                            Must("striping", wide),
                            Must("trackedVehicle", wide),
                            Must("parking", wide))))),
                    May("maneuvers", maneuvers),
                    May("connectsTo", T.SequenceOf(
                        T.Sequence(
                            false,
                            Must("remoteIntersection", NodeId),
                            May("connectingLane", T.Sequence(false, Must("lane", Number8), May("maneuver", maneuvers))),
                            May("phaseId", Number8)),
                        1,
                        16)),
                    May("speedLimits", speedLimits),
                    May("points", points)),
                1,
                32)));
    }

    private static T Description() => T.Choice(false, Must("textString", T.Text(1, 512)), Must("textGB2312", T.OctetString(2, 512)));

    private static T TimeDetails() => T.Sequence(false, May("startTime", Minute), May("endTime", Minute), May("endTimeConfidence", TimeConfidence));

    private static T ReferencePaths() => T.SequenceOf(
        T.Sequence(false, Must("activePath", T.SequenceOf(PositionOffset, 1, 32)), Must("pathRadius", Radius)),
        1,
        8);

    private static T ReferenceLinks() => T.SequenceOf(
        T.Sequence(false, Must("upstreamNodeId", NodeId), Must("downstreamNodeId", NodeId), May("referenceLanes", T.BitString(16))),
        1,
        16);
}
