using System.Buffers.Text;
using MQTTnet;
using MQTTnet.Packets;

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

    /// <summary>The number that a message carries under a name, the last if there are several; null when it carries none.</summary>
    public static long? In(MqttApplicationMessage message, string name)
    {
        long? number = null;
        foreach (MqttUserProperty property in message.UserProperties ?? [])
        {
            if (property.Name == name && Utf8Parser.TryParse(property.ValueBuffer.Span, out long value, out _))
            {
                number = value;
            }
        }

        return number;
    }
}
