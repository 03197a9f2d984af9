using System.CommandLine;
using V2XSim.Hosting;
using V2XSim.LoadTesting;

namespace V2XSim.Cli;

/// <summary><c>load-generator</c>: a worker process of a load test. Hidden: <see cref="LoadCommand"/> starts it.</summary>
internal sealed class LoadGeneratorCommand : Verb
{
    private readonly Argument<string> _config = new("config") { Description = "Configuration written by 'v2xsim load'." };

    public LoadGeneratorCommand(VerbContext context)
        : base(context, WorkerArguments.GeneratorVerb, "Worker process of a load test.")
    {
        Hidden = true;
        Declare(_config);
        SetAction((parsed, cancellation) => LoadGenerator.RunAsync(parsed.GetValue(_config)!, Console.In, Output, Clock, cancellation));
    }
}
