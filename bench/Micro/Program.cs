using BenchmarkDotNet.Running;
using V2XSim.Micro;

// dotnet run -c Release --project bench/Micro -- gate        compares allocated bytes with budgets.json, in a minute; CI runs it
// dotnet run -c Release --project bench/Micro -- speed       lock-step speed of the demonstration zone
// dotnet run -c Release --project bench/Micro -- asn1c       UPER codec compared with asn1c's C code, as a ratio
// dotnet run -c Release --project bench/Micro -- parts       time and bytes of each part of a live edge; json, protobuf or uper
// dotnet run -c Release --project bench/Micro -- sites       cost of a message for edges of 75, 150, 300 and 600 sites, as a ratio
// dotnet run -c Release --project bench/Micro -- held        memory of edges over 45 minutes of traffic
// dotnet run -c Release --project bench/Micro -- scenes      effect of each fusion remedy in difficult scenes
// dotnet run -c Release --project bench/Micro -- --filter *  full measurements, BenchmarkDotNet's own options
return args.FirstOrDefault() switch
{
    "gate" => Gate.Run(args.Length > 1 ? args[1] : "bench/budgets.json"),
    "speed" => await LockStepSpeed.Run(args.Length > 1 ? args[1] : "scenarios/demo-zone-300km", runs: 3),
    "asn1c" => AsnRatio.Run(args.Length > 1 ? args[1] : "tests/data/wire"),
    "parts" => LiveParts.Run(args.Length > 1 && args[1] == "uper" ? V2XSim.Foundation.PayloadFormat.Uper : args.Length > 1 && args[1] == "protobuf" ? V2XSim.Foundation.PayloadFormat.Protobuf : V2XSim.Foundation.PayloadFormat.Json),
    "sites" => LiveParts.CompareSites(),
    "held" => LiveParts.Hold(),
    "scenes" => SceneTable.Run(seeds: 5),
    _ => BenchmarkSwitcher.FromAssembly(typeof(Gate).Assembly).Run(args, MicroConfig.Full()).Any(s => s.HasCriticalValidationErrors) ? 1 : 0,
};
