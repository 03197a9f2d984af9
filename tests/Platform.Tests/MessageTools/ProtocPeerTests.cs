using System.Diagnostics;
using System.Text;
using V2XSim.Testing;
using V2XSim.Foundation;
using V2XSim.Messages;
using V2XSim.Messages.Its0180;
using V2XSim.Messages.Uper;
using Xunit;

namespace V2XSim.Platform.Tests;

/// <summary>Our Protobuf against Google's own compiler: it reads our .proto and our octets, and we read its.</summary>
public class ProtocPeerTests
{
    [Theory]
    [InlineData("its0180")]
    [InlineData("csae53")]
    public async Task The_proto_file_in_the_repository_is_what_the_tables_say(string family)
    {
        Outcome printed = await CommandLine.Run("proto", family);
        Assert.Equal(await File.ReadAllTextAsync(Place.Of("proto", family + ".proto")), printed.Output);
    }

    [Fact]
    public void Payloads_of_0180_mean_the_same_to_protoc()
    {
        Place.NeedsProtoc();
        var random = new RandomStream(180);
        foreach (WireRecord type in PayloadCatalogue.All)
        {
            for (int i = 0; i < 3; i++)
            {
                WireMessage message = WireRandom.Message(type, random);
                var packed = new ProtoBuffer();
                WireProtobuf.Write(message, packed);

                byte[] again = Encoded("its0180", "v2xsim.its0180." + type.Name, Decoded("its0180", "v2xsim.its0180." + type.Name, packed.Written.ToArray()));

                Assert.Equal(Convert.ToHexStringLower(packed.Written), Convert.ToHexStringLower(again));
            }
        }
    }

    [Fact]
    public void Messages_of_CSAE_53_mean_the_same_to_protoc()
    {
        Place.NeedsProtoc();
        const string Type = "v2xsim.csae53.MessageFrame";
        var tape = new UperTape();
        foreach (string name in (string[])["bsm_min", "rsm_16_full", "spat_8_3", "map_4x3", "rsi_1"])
        {
            byte[] frame = Convert.FromHexString(File.ReadAllText(Place.Of("tests", "data", "wire", name + ".hex")).Trim());
            Assert.True(UperCodec.Decode(Csae53.MessageFrame, frame, tape).IsValid);
            var packed = new ProtoBuffer();
            UperProtobuf.Write(tape, packed);

            string text = Decoded("csae53", Type, packed.Written.ToArray());

            Assert.DoesNotMatch(@"^\s*\d+[:{ ]", text);
            Assert.Equal(RejectReason.None, UperProtobuf.Read(Csae53.MessageFrame, Encoded("csae53", Type, text), tape));
            byte[] target = new byte[4096];
            Assert.True(UperCodec.Encode(tape, target, out int length).IsValid);
            Assert.Equal(Convert.ToHexStringLower(frame), Convert.ToHexStringLower(target.AsSpan(0, length)));
        }
    }

    private static string Decoded(string family, string type, byte[] octets) => Encoding.UTF8.GetString(Call($"--decode={type}", family, octets));

    private static byte[] Encoded(string family, string type, string text) => Call($"--encode={type}", family, Encoding.UTF8.GetBytes(text));

    private static byte[] Call(string what, string family, byte[] input)
    {
        using Process process = Process.Start(new ProcessStartInfo("/usr/bin/protoc", [what, "-I" + Place.Of("proto"), family + ".proto"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.StandardInput.BaseStream.Write(input);
        process.StandardInput.Close();
        var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error);
        return output.ToArray();
    }
}
