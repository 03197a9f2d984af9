using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Uper;
using V2XSim.Sensing;

namespace V2XSim.Roadside;

/// <summary>What the simulator knows of a message, and the platform does not.</summary>
/// <param name="Attack">What the message is; null for an honest one.</param>
/// <param name="IsOfAttacker">Whether its sender attacks at other times; then an honest message of it does not count for false alarms.</param>
public readonly record struct BsmLabel(long Sequence, Attack? Attack, int Vehicle, bool IsOfAttacker);

/// <summary>
/// The basic safety messages that one roadside unit receives. Which vehicles have a radio, which attack and how, and every position error
/// follow from the seed, the vehicle and the instant alone, so that all units receive the same.
/// </summary>
public sealed class ConnectedVehicles(ConnectedVehicleSettings settings, ulong seed, LocalPlane plane, UtcEpoch epoch, PlanePoint receiver)
{
    private const int Memory = 32;

    /// <summary>Class of T/CSAE 53 of an emergency vehicle that does not say which.</summary>
    private const int EmergencyClass = 60;
    private readonly Dictionary<int, Radio> _radios = [];
    private readonly Dictionary<ulong, Radio> _byId = [];
    private readonly Queue<Spoken> _heard = new();
    private readonly UperTape _tape = new();
    private readonly JsonBuffer _json = new();
    private readonly byte[] _frame = new byte[512];

    /// <summary>Makes the messages of a step, as this unit receives them.</summary>
    /// <param name="frame">Truth at the step's end, which is when they are sent.</param>
    /// <param name="near">Road users that may be in range.</param>
    /// <param name="hear">Receives each frame, its time and its label.</param>
    public void Work(TruthFrame frame, List<int> near, Action<byte[], SimTime, BsmLabel> hear)
    {
        foreach (int i in near)
        {
            if (frame.Kind[i] is RoadUserKind.Pedestrian or RoadUserKind.Bicycle or RoadUserKind.Unknown || frame.Number[i] < 0)
            {
                continue;
            }

            var at = new PlanePoint(frame.X[i], frame.Y[i]);
            if (at.DistanceTo(receiver) > settings.RadioRangeMetres)
            {
                continue;
            }

            if (!_radios.TryGetValue(frame.Number[i], out Radio? radio))
            {
                _radios[frame.Number[i]] = radio = RadioOf(frame.Number[i]);
                _byId[radio.Id] = radio;
            }

            bool speaks = radio.IsConnected || (frame.IsOnCall[i] && settings.EmergencyConnected);
            if (speaks && IsDue(radio, frame))
            {
                Speak(radio, frame, i, hear);
            }
        }
    }

    /// <summary>The road user that heeds advice under the name that it says; null when none with that name is known here, or it does not heed any.</summary>
    public int? Heeding(ulong id) => _byId.TryGetValue(id, out Radio? radio) && radio.Heeds ? radio.Vehicle : null;

    private static RandomStream Stream(ulong seed, int vehicle, long what) => new(seed ^ unchecked(((ulong)vehicle * 0x9E3779B97F4A7C15UL) + ((ulong)what * 0xC2B2AE3D27D4EB4FUL)));

    private bool IsDue(Radio radio, TruthFrame frame)
    {
        double period = SimTime.MicrosecondsPerSecond / settings.BsmRateHz;
        return Math.Floor((frame.Time.Microseconds + radio.Phase) / period) > Math.Floor((frame.PreviousTime.Microseconds + radio.Phase) / period);
    }

    private Radio RadioOf(int vehicle)
    {
        RandomStream random = Stream(seed, vehicle, -1);
        bool isConnected = random.NextBool(settings.ConnectedShare), attacks = random.NextBool(settings.AttackerShare) && settings.Attacks.Count > 0;
        return new Radio(
            vehicle,
            isConnected,
            random.NextInt((int)SimTime.MicrosecondsPerSecond),
            attacks ? settings.Attacks[random.NextInt(settings.Attacks.Count)] : null,
            random.NextUInt64() | 1,
            new PlanePoint(random.NextDouble(-200, 200), random.NextDouble(-200, 200)),
            random.NextDouble(5, 25),
            3_000_000 + (long)(random.NextDouble() * 20_000_000),
            random.NextBool(settings.AdviceCompliance));
    }

    private void Speak(Radio radio, TruthFrame frame, int i, Action<byte[], SimTime, BsmLabel> hear)
    {
        RandomStream noise = Stream(seed, radio.Vehicle, frame.Time.Microseconds);
        var said = new Spoken(
            radio.Vehicle,
            frame.Time,
            frame.X[i] + (noise.NextGaussian() * settings.PositionNoiseMetres),
            frame.Y[i] + (noise.NextGaussian() * settings.PositionNoiseMetres),
            Math.Max(0, frame.SpeedMetresPerSecond[i] + (noise.NextGaussian() * 0.1)),
            frame.HeadingRadians[i] + (noise.NextGaussian() * 0.01),
            new BodySize(frame.LengthMetres[i], frame.WidthMetres[i], frame.HeightMetres[i]),
            frame.Kind[i],
            frame.IsOnCall[i]);
        Lie(radio, said, noise, hear);
        radio.Own.Enqueue(said);
        _heard.Enqueue(said);
        if (radio.Own.Count > Memory)
        {
            radio.Own.Dequeue();
        }

        if (_heard.Count > 400)
        {
            _heard.Dequeue();
        }
    }

    private void Lie(Radio radio, in Spoken truth, RandomStream random, Action<byte[], SimTime, BsmLabel> hear)
    {
        Spoken said = truth;
        switch (radio.Attack)
        {
            case Attack.ConstantPosition:
                said = said with { X = receiver.X + radio.Offset.X, Y = receiver.Y + radio.Offset.Y };
                break;
            case Attack.ConstantPositionOffset:
                said = said with { X = said.X + radio.Offset.X, Y = said.Y + radio.Offset.Y };
                break;
            case Attack.RandomPosition:
                said = said with { X = receiver.X + random.NextDouble(-200, 200), Y = receiver.Y + random.NextDouble(-200, 200) };
                break;
            case Attack.RandomPositionOffset:
                said = said with { X = said.X + random.NextDouble(-70, 70), Y = said.Y + random.NextDouble(-70, 70) };
                break;
            case Attack.ConstantSpeed:
                said = said with { Speed = radio.Speed };
                break;
            case Attack.ConstantSpeedOffset:
                said = said with { Speed = said.Speed + radio.Speed };
                break;
            case Attack.RandomSpeed:
                said = said with { Speed = random.NextDouble(0, 40) };
                break;
            case Attack.RandomSpeedOffset:
                said = said with { Speed = said.Speed + random.NextDouble(0, 20) };
                break;
            case Attack.EventualStop when truth.Time.Microseconds % 30_000_000 > radio.Instant:
                radio.Frozen ??= truth;
                said = said with { X = radio.Frozen.Value.X, Y = radio.Frozen.Value.Y, Speed = 0 };
                break;
            case Attack.DataReplay:
                said = Another(truth, random) ?? said;
                break;
            case Attack.DelayedMessages when radio.Own.Count >= 20:
                said = radio.Own.ElementAt(radio.Own.Count - 20);
                break;
            default:
                break;
        }

        // A flooding attacker is false by the number of its messages, one with ghosts by the messages of the ghosts.
        bool floods = radio.Attack is Attack.DenialOfService or Attack.DenialOfServiceRandom or Attack.DenialOfServiceReplay;
        Send(radio.Id, radio, said, truth.Time, floods || said != truth ? radio.Attack : null, hear);
        if (floods)
        {
            for (int more = 1; more < 4; more++)
            {
                Spoken extra = radio.Attack switch
                {
                    Attack.DenialOfServiceRandom => truth with { X = receiver.X + random.NextDouble(-200, 200), Y = receiver.Y + random.NextDouble(-200, 200), Speed = random.NextDouble(0, 40) },
                    Attack.DenialOfServiceReplay => Another(truth, random) ?? truth,
                    _ => truth,
                };
                Send(radio.Id, radio, extra, truth.Time, radio.Attack, hear);
            }
        }

        if (radio.Attack == Attack.Sybil)
        {
            for (int ghost = 1; ghost <= 5; ghost++)
            {
                double behind = 5 + (ghost * (truth.Size.LengthMetres + 5));
                Spoken follower = truth with
                {
                    X = truth.X - (behind * Math.Cos(truth.Heading)) + (random.NextGaussian() * settings.PositionNoiseMetres),
                    Y = truth.Y - (behind * Math.Sin(truth.Heading)) + (random.NextGaussian() * settings.PositionNoiseMetres),
                };
                Send(radio.Id + (ulong)(ghost << 8), radio, follower, truth.Time, Attack.Sybil, hear);
            }
        }
    }

    /// <summary>A message of another vehicle, one to four seconds old, with the current time; null when there is none.</summary>
    private Spoken? Another(Spoken truth, RandomStream random)
    {
        var others = _heard.Where(h => h.Vehicle != truth.Vehicle && truth.Time.SecondsSince(h.Time) > 1).ToList();
        return others.Count == 0 ? null : others[random.NextInt(others.Count)] with { Time = truth.Time };
    }

    private void Send(ulong id, Radio radio, in Spoken said, SimTime sent, Attack? attack, Action<byte[], SimTime, BsmLabel> hear)
    {
        GeoPoint geo = plane.ToGeo(said.X, said.Y);
        _json.Clear();
        _json.BeginObject();
        _json.Name("bsmFrame"u8);
        _json.BeginObject();
        _json.Name("msgCnt"u8);
        _json.Number(radio.Count++ & 127);
        _json.Name("id"u8);
        _json.Hex(id);
        _json.Name("secMark"u8);
        _json.Number(epoch.ToUnixMilliseconds(said.Time) % 60_000);
        DownMessages.Position(_json, "pos"u8, geo);
        _json.Name("posConfidence"u8);
        _json.BeginObject();
        _json.Name("pos"u8);

        // No receiver of a vehicle says that it is better than 20 cm, or worse than 10 m.
        _json.Plain(DownMessages.ConfidenceOf(Math.Clamp(settings.PositionNoiseMetres, 0.1, 5)));
        _json.EndObject();
        _json.Name("transmission"u8);
        _json.Plain("forwardGears"u8);
        _json.Name("speed"u8);
        _json.Number(Math.Clamp((long)Math.Round(said.Speed / 0.02), 0, 8190));
        _json.Name("heading"u8);
        _json.Number((long)Math.Round(Heading.ToCompassDegrees(said.Heading) / 0.0125) % 28_800);
        _json.Name("accelSet"u8);
        _json.Raw("{\"long\":2001,\"lat\":2001,\"vert\":-127,\"yaw\":0}"u8);
        _json.Name("brakes"u8);
        _json.Raw("{}"u8);
        _json.Name("size"u8);
        _json.BeginObject();
        _json.Name("width"u8);
        _json.Number(Math.Clamp((int)Math.Round(said.Size.WidthMetres * 100), 0, 1023));
        _json.Name("length"u8);
        _json.Number(Math.Clamp((int)Math.Round(said.Size.LengthMetres * 100), 0, 4095));
        _json.EndObject();
        _json.Name("vehicleClass"u8);
        _json.BeginObject();
        _json.Name("classification"u8);
        _json.Number(said.IsOnCall ? EmergencyClass : DownMessages.ClassificationOf(said.Kind));
        _json.EndObject();
        if (said.IsOnCall)
        {
            _json.Name("emergencyExt"u8);
            _json.Raw("{\"responseType\":\"emergency\",\"sirenUse\":\"inUse\",\"lightsUse\":\"inUse\"}"u8);
        }

        _json.EndObject();
        _json.EndObject();
        UperJson.Read(Csae53.MessageFrame, _json.Written, _tape);
        UperResult result = UperCodec.Encode(_tape, _frame, out int length);
        if (!result.IsValid)
        {
            throw new InvalidOperationException($"a simulated vehicle's message violates the standard: {result}");
        }

        hear(_frame[..length], sent, new BsmLabel(-1, attack, radio.Vehicle, radio.Attack is not null));
    }

    private readonly record struct Spoken(int Vehicle, SimTime Time, double X, double Y, double Speed, double Heading, BodySize Size, RoadUserKind Kind, bool IsOnCall);

    private sealed class Radio(int vehicle, bool isConnected, int phase, Attack? attack, ulong id, PlanePoint offset, double speed, long instant, bool heeds)
    {
        public int Vehicle => vehicle;

        public bool IsConnected => isConnected;

        public int Phase => phase;

        public Attack? Attack => attack;

        public ulong Id => id;

        /// <summary>Position error of a false message.</summary>
        public PlanePoint Offset => offset;

        public double Speed => speed;

        /// <summary>When in each half minute it seems to stop.</summary>
        public long Instant => instant;

        /// <summary>Whether its driver does what a unit advises.</summary>
        public bool Heeds => heeds;

        public int Count { get; set; }

        public Spoken? Frozen { get; set; }

        public Queue<Spoken> Own { get; } = new();
    }
}
