namespace V2XSim.Foundation;

/// <summary>What a device writes its payloads in. Known everywhere, because site plans name it and messages are read by it.</summary>
public enum PayloadFormat : byte
{
    /// <summary>The sender does not say: JSON when the first octet is a brace, else the topic's usual packed form.</summary>
    Unstated,
    Json,
    Uper,
    Protobuf,
}
