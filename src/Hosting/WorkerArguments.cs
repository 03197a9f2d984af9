namespace V2XSim.Hosting;

/// <summary>Command and options with which the conductor of a load test starts its worker processes.</summary>
public static class WorkerArguments
{
    /// <summary>File name of the program with these commands, in the folder of the other assemblies.</summary>
    public const string ProgramFile = "V2XSim.Cli.dll";

    /// <summary>Command of a generator process.</summary>
    public const string GeneratorVerb = "load-generator";

    /// <summary>Option that puts edges under the control of the process that started them.</summary>
    public const string ControlOption = "--control";

    /// <summary>Option with the name of the <see cref="ScaledClock"/> that edges use.</summary>
    public const string ClockOption = "--clock-name";
}
