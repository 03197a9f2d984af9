using System.Diagnostics;
using System.Globalization;
using V2XSim.Testing;
using V2XSim.Messages.Uper;

namespace V2XSim.Micro;

/// <summary>Compares the UPER codec with C code of asn1c for the same tables, on the same frames, in alternating rounds.</summary>
internal static class AsnRatio
{
    private const int Rounds = 7, Times = 20_000;

    public static int Run(string frames)
    {
        if (!File.Exists("/usr/bin/asn1c") || !File.Exists("/usr/bin/gcc"))
        {
            Console.Error.WriteLine("asn1c and gcc are required: apt-get install asn1c gcc libc6-dev");
            return 2;
        }

        string folder = Directory.CreateTempSubdirectory("v2xsim-asn1c-").FullName;
        try
        {
            AsnModule.Compile(folder, Path.Combine(frames, "..", "..", "peers", "asn1c", "time.c"), "-O2");
            Console.WriteLine("frame            decode: ours   asn1c (C)   ratio     encode: ours   asn1c (C)   ratio");
            foreach (string name in (string[])["bsm_min", "rsm_16_lean", "rsm_16_full", "spat_8_3", "map_4x3"])
            {
                byte[] frame = Convert.FromHexString(File.ReadAllText(Path.Combine(frames, name + ".hex")).Trim());
                string raw = Path.Combine(folder, name);
                File.WriteAllBytes(raw, frame);
                var rounds = new List<(double OurDecode, double OurEncode, double TheirDecode, double TheirEncode)>();
                for (int i = 0; i <= Rounds; i++)
                {
                    (double decode, double encode) = Ours(frame);
                    (double theirDecode, double theirEncode) = Theirs(folder, raw);
                    rounds.Add((decode, encode, theirDecode, theirEncode));
                }

                // The first round is the warm-up.
                rounds.RemoveAt(0);
                double od = Median(rounds.Select(r => r.OurDecode)), td = Median(rounds.Select(r => r.TheirDecode)), oe = Median(rounds.Select(r => r.OurEncode)), te = Median(rounds.Select(r => r.TheirEncode));
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name,-14} {od / 1000,10:0.00} µs {td / 1000,10:0.00} µs {Median(rounds.Select(r => r.OurDecode / r.TheirDecode)),7:0.00} {oe / 1000,14:0.00} µs {te / 1000,10:0.00} µs {Median(rounds.Select(r => r.OurEncode / r.TheirEncode)),7:0.00}"));
            }

            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (double Decode, double Encode) Ours(byte[] frame)
    {
        var tape = new UperTape();
        byte[] target = new byte[4096];
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < Times; i++)
        {
            UperCodec.Decode(Csae53.MessageFrame, frame, tape);
        }

        double decode = Stopwatch.GetElapsedTime(start).TotalNanoseconds / Times;
        start = Stopwatch.GetTimestamp();
        for (int i = 0; i < Times; i++)
        {
            UperCodec.Encode(tape, target, out _);
        }

        return (decode, Stopwatch.GetElapsedTime(start).TotalNanoseconds / Times);
    }

    private static (double Decode, double Encode) Theirs(string folder, string raw)
    {
        using Process process = Process.Start(new ProcessStartInfo(Path.Combine(folder, "peer"), [raw, Times.ToString(CultureInfo.InvariantCulture)]) { UseShellExecute = false, RedirectStandardOutput = true })!;
        string[] parts = process.StandardOutput.ReadToEnd().Split(' ');
        process.WaitForExit();
        return (double.Parse(parts[0], CultureInfo.InvariantCulture), double.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
