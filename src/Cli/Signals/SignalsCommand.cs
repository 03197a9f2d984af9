using System.CommandLine;

namespace V2XSim.Cli.Signals;

/// <summary><c>signals</c>: the green-wave workbench.</summary>
internal sealed class SignalsCommand : Command
{
    public SignalsCommand(VerbContext context)
        : base("signals", "Coordinate signals: extract an arterial, find a plan, draw it, compare plans, deploy a plan.")
    {
        Add(new SignalsCheckCommand(context));
        Add(new SignalsArterialCommand(context));
        Add(new SignalsBandCommand(context));
        Add(new SignalsTimingsCommand(context));
        Add(new SignalsOptimiseCommand(context));
        Add(new SignalsCompareCommand(context));
        Add(new SignalsDiagramCommand(context));
        Add(new SignalsConvertCommand(context));
        Add(new SignalsDeployCommand(context));
    }
}
