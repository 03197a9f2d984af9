using System.Buffers.Text;

namespace V2XSim.Mqtt;

/// <summary>Whole numbers as UTF-8 text, for user properties.</summary>
public static class NumberText
{
    public static ReadOnlyMemory<byte> Of(long value)
    {
        byte[] text = new byte[20];
        Utf8Formatter.TryFormat(value, text, out int written);
        return text.AsMemory(0, written);
    }
}
