using System.Globalization;
using V2XSim.Hosting;
using V2XSim.LoadTesting;

// A reference edge that only answers. 'v2xsim load --target' against it measures the floor of the load-test harness.
// dotnet run -c Release --project bench/EchoEdge -- 18850
RuntimeChoice.ApplyHere();
int port = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 18850;
await using EchoEdge echo = await EchoEdge.StartAsync(port, hasLedger: false, TimeProvider.System);
Console.WriteLine($"echo edge at {echo.Address}, process {Environment.ProcessId}; Ctrl-C stops");
var end = new TaskCompletionSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    end.TrySetResult();
};
using var terminated = System.Runtime.InteropServices.PosixSignalRegistration.Create(System.Runtime.InteropServices.PosixSignal.SIGTERM, context =>
{
    context.Cancel = true;
    end.TrySetResult();
});
await end.Task;
