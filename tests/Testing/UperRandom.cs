using V2XSim.Foundation;
using V2XSim.Messages.Uper;

namespace V2XSim.Testing;

/// <summary>Makes valid messages at random, by building JSON that the reader takes.</summary>
public static class UperRandom
{
    /// <param name="extensions">Whether additions of newer editions may occur.</param>
    public static void Fill(UperType type, UperTape tape, RandomStream random, bool extensions = true) =>
        UperJson.Read(type, System.Text.Encoding.UTF8.GetBytes(Json(type, random, extensions, 0)), tape);

    private static string Json(UperType type, RandomStream random, bool extensions, int depth)
    {
        switch (type.Kind)
        {
            case UperKind.Integer:
                return random.NextInt(4) switch
                {
                    0 => $"{type.Low}",
                    1 => $"{type.High}",
                    _ => $"{type.Low + (long)(random.NextDouble() * (type.High - type.Low))}",
                };
            case UperKind.Enumerated:
                return extensions && type.IsExtensible && random.NextInt(10) == 0 ? $"\"+{random.NextInt(100)}\"" : "\"" + System.Text.Encoding.UTF8.GetString(type.Names[random.NextInt(type.Names.Length)]) + "\"";
            case UperKind.BitString:
                {
                    int length = extensions && type.IsExtensible && random.NextInt(5) == 0 ? (int)type.Low + 1 + random.NextInt(5) : (int)type.Low;
                    string bits = Convert.ToHexString(Bits(length, random));
                    return length == type.Low ? $"\"{bits}\"" : $"{{\"length\":{length},\"value\":\"{bits}\"}}";
                }

            case UperKind.OctetString:
                return $"\"{Convert.ToHexString(Octets((int)type.Low + random.NextInt((int)Math.Min(20, type.High - type.Low) + 1), random))}\"";
            case UperKind.Text:
                return "\"" + new string([.. Enumerable.Range(0, (int)type.Low + random.NextInt(12)).Select(_ => (char)('a' + random.NextInt(26)))]) + "\"";
            case UperKind.Choice:
                if (extensions && type.IsExtensible && random.NextInt(12) == 0)
                {
                    return $"{{\"+{random.NextInt(70)}\":\"{Convert.ToHexString(Octets(random.NextInt(200), random))}\"}}";
                }

                UperField chosen = type.Fields[random.NextInt(type.Fields.Length)];
                return $"{{\"{chosen.Name}\":{Json(chosen.Type, random, extensions, depth + 1)}}}";
            case UperKind.Sequence:
                {
                    var members = type.Fields.Where(f => !f.IsOptional || random.NextInt(depth > 6 ? 4 : 2) == 0).Select(f => $"\"{f.Name}\":{Json(f.Type, random, extensions, depth + 1)}").ToList();
                    if (extensions && type.IsExtensible && random.NextInt(10) == 0)
                    {
                        members.Add($"\"+{random.NextInt(5)}\":\"{Convert.ToHexString(Octets(random.NextInt(10), random))}\"");
                    }

                    // Members may come in any order.
                    return "{" + string.Join(',', members.OrderBy(_ => random.NextUInt64())) + "}";
                }

            default:
                int count = (int)Math.Min(type.High, type.Low + random.NextInt(3));
                return "[" + string.Join(',', Enumerable.Range(0, count).Select(_ => Json(type.Element!, random, extensions, depth + 1))) + "]";
        }
    }

    private static byte[] Octets(int count, RandomStream random) => [.. Enumerable.Range(0, count).Select(_ => (byte)random.NextInt(256))];

    private static byte[] Bits(int length, RandomStream random)
    {
        byte[] octets = Octets((length + 7) / 8, random);
        octets[^1] &= (byte)(0xFF << ((octets.Length * 8) - length));
        return octets;
    }
}
