using System.CommandLine;

namespace V2XSim.Cli;

/// <summary>Arguments and options shared by <c>decode</c> and <c>encode</c>.</summary>
internal static class FrameOptions
{
    public static Argument<string?> Source() => new("source") { Description = "Hexadecimal digits, JSON, or a file with either or with raw bytes (default, or '-': standard input).", Arity = ArgumentArity.ZeroOrOne };

    public static Option<string?> Message() => new("--message") { Description = "Payload of T/ITS 0180.1-2021, by name or topic, such as rscu/participant/up (default: a message of T/CSAE 53-2020).", HelpName = "NAME" };
}
