namespace V2XSim.Hosting;

/// <summary>Verb and options with which the conductor of a load test starts the processes that work for it.</summary>
public static class WorkerArguments
{
    /// <summary>File of the program that knows these verbs; it lies beside the other assemblies.</summary>
    public const string ProgramFile = "V2XSim.Cli.dll";

    /// <summary>Verb of a generator's process.</summary>
    public const string GeneratorVerb = "load-generator";

    /// <summary>Has edges obey the process that started them.</summary>
    public const string ControlOption = "--control";

    /// <summary>Has edges keep the <see cref="ScaledClock"/> of that name.</summary>
    public const string ClockOption = "--clock-name";
}
