using V2XSim.Foundation;

namespace V2XSim.Messages.Its0180;

/// <summary>Payloads of the catalogue in whichever form they come or are wanted. Its buffers are used again for the next.</summary>
public sealed class WirePayload
{
    private readonly WireJson _json = new();
    private readonly JsonBuffer _text = new();
    private readonly ProtoBuffer _packed = new();

    /// <summary>The form of a payload whose sender does not say: JSON is known by its brace, and there is no UPER of these.</summary>
    public static PayloadFormat FormatOf(ReadOnlySpan<byte> payload, PayloadFormat stated) =>
        stated == PayloadFormat.Json || (stated == PayloadFormat.Unstated && payload.StartsWith("{"u8)) ? PayloadFormat.Json : PayloadFormat.Protobuf;

    public WireResult Read(WireRecord type, ReadOnlySpan<byte> payload, out WireMessage message, PayloadFormat stated = PayloadFormat.Unstated) =>
        FormatOf(payload, stated) == PayloadFormat.Json ? _json.Read(type, payload, out message) : WireProtobuf.Read(type, payload, out message);

    /// <summary>Writes a message: Protobuf when that is asked for, else JSON.</summary>
    public byte[] Write(WireMessage message, PayloadFormat format)
    {
        if (format == PayloadFormat.Protobuf)
        {
            _packed.Clear();
            WireProtobuf.Write(message, _packed);
            return _packed.Written.ToArray();
        }

        _text.Clear();
        _json.Write(message, _text);
        return _text.Written.ToArray();
    }

    /// <summary>A message as JSON, for people.</summary>
    public string Text(WireMessage message) => System.Text.Encoding.UTF8.GetString(Write(message, PayloadFormat.Json));
}
