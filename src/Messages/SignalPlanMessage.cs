using V2XSim.Messages.Its0180;

namespace V2XSim.Messages;

/// <summary>Orders of plans to signals' controllers.</summary>
public static class SignalPlanMessage
{
    /// <summary>The order of one plan; the sender adds its number and the request for confirmation.</summary>
    /// <param name="unixMilliseconds">When it is made.</param>
    /// <param name="offsetSeconds">When the first phase begins, after the zero of the signals' common clock.</param>
    /// <param name="transition">1 dwell, 2 short way.</param>
    public static WireMessage Of(long unixMilliseconds, string device, string signal, string programme, double offsetSeconds, long transition, IEnumerable<(string State, double Seconds)> phases)
    {
        WireRecord phase = PayloadCatalogue.SignalPlan.Part("phases");
        return new WireMessage(PayloadCatalogue.SignalPlan)
            .With("timeStamp", unixMilliseconds)
            .With("rscuSn", device)
            .With("crossId", signal)
            .With("programId", programme)
            .With("offset", offsetSeconds)
            .With("transition", transition)
            .With("phases", new List<object>(phases.Select(p => new WireMessage(phase).With("state", p.State).With("duration", p.Seconds))));
    }
}
