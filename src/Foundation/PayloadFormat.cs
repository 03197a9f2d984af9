namespace V2XSim.Foundation;

/// <summary>Payload encoding of a device. It is defined here because both site plans and message decoders use it.</summary>
public enum PayloadFormat : byte
{
    /// <summary>Not declared by the sender: JSON when the first octet is a brace, otherwise the topic's usual binary encoding.</summary>
    Unstated,
    Json,
    Uper,
    Protobuf,
}
