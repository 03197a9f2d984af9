using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace V2XSim.Sensing;

/// <summary>What an attacker does: the families of F2MD and VeReMi.</summary>
public enum Attack : byte
{
    /// <summary>Says one place for ever.</summary>
    ConstantPosition,

    /// <summary>Says its place, always off by the same.</summary>
    ConstantPositionOffset,

    /// <summary>Says any place around.</summary>
    RandomPosition,

    /// <summary>Says its place, off by anything.</summary>
    RandomPositionOffset,
    ConstantSpeed,
    ConstantSpeedOffset,
    RandomSpeed,
    RandomSpeedOffset,

    /// <summary>Seems to brake and stand from some instant on.</summary>
    EventualStop,

    /// <summary>Says, in its own name, what another vehicle said before.</summary>
    DataReplay,

    /// <summary>Says where it was seconds ago, with the time of then.</summary>
    DelayedMessages,

    /// <summary>Four times as many messages.</summary>
    DenialOfService,

    /// <summary>Four times as many messages, of nonsense.</summary>
    DenialOfServiceRandom,

    /// <summary>Four times as many messages, of what others said.</summary>
    DenialOfServiceReplay,

    /// <summary>Five more vehicles that are not there, one behind the other.</summary>
    Sybil,
}

/// <summary>Vehicles that send messages about themselves, and the attackers among them.</summary>
public sealed record ConnectedVehicleSettings
{
    [Range(0, 1)]
    [Description("Share of motor vehicles with a radio, whose messages the roadside units pass on.")]
    public double ConnectedShare { get; init; }

    [Range(0.1, 20)]
    [Description("Messages per second and vehicle.")]
    public double BsmRateHz { get; init; } = 10;

    [Range(0, 20)]
    [Description("Standard deviation of the position in a vehicle's messages, in each direction.")]
    public double PositionNoiseMetres { get; init; } = 0.7;

    [Range(10, 1000)]
    [Description("Radio range of a roadside unit.")]
    public double RadioRangeMetres { get; init; } = 250;

    [Description("Whether all vehicles on an emergency call (SUMO's class emergency, in simulated traffic) have a radio, report the call and request priority.")]
    public bool EmergencyConnected { get; init; }

    [Range(0, 1)]
    [Description("Share of connected vehicles whose drivers follow speed advice.")]
    public double AdviceCompliance { get; init; } = 1;

    [Range(0, 1)]
    [Description("Share of connected vehicles that send false messages.")]
    public double AttackerShare { get; init; }

    [Description("Attacks; each attacker uses one of them.")]
    public IReadOnlyList<Attack> Attacks { get; init; } = [];

    /// <summary>Whether any vehicle has a radio.</summary>
    public bool AnySpeak => ConnectedShare > 0 || EmergencyConnected;
}
