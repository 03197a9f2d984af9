namespace V2XSim.Messages;

/// <summary>Writes the ledger of one publication: text of a user property, fields with a space between.</summary>
/// <remarks>
/// Device and number of the last message that was used; lists used and lists shed of the receiving device since the edge began; when that
/// message came in, microseconds since 1970; then microseconds: from the first list's coming in to the last one's, in the inbox, decoding,
/// held for lists that did not come, fusing, deciding, encoding, sending (of the publication before this one), pauses of the collector.
/// </remarks>
public static class LedgerText
{
    /// <summary>Fields behind the device.</summary>
    public const int Numbers = 13;

    /// <summary>Places of the fields.</summary>
    public const int Sequence = 0, Used = 1, Shed = 2, Intake = 3, Waited = 4, Queued = 5, Decoded = 6, Held = 7, Fused = 8, Decided = 9, Encoded = 10, SentBefore = 11, Paused = 12;

    /// <summary>Writes it; the result is the length.</summary>
    /// <param name="to">Receives the text, at least 400 octets.</param>
    /// <param name="device">Device of the last message that was used.</param>
    /// <param name="numbers">The fields behind the device.</param>
    public static int Write(Span<byte> to, string device, ReadOnlySpan<long> numbers)
    {
        int at = System.Text.Encoding.UTF8.GetBytes(device.AsSpan(0, Math.Min(device.Length, 64)), to);
        foreach (long number in numbers)
        {
            to[at++] = (byte)' ';
            System.Buffers.Text.Utf8Formatter.TryFormat(number, to[at..], out int written);
            at += written;
        }

        return at;
    }

    /// <summary>Reads it; false when it is not one.</summary>
    /// <param name="text">Text of the property.</param>
    /// <param name="device">Octets of the device's name.</param>
    /// <param name="numbers">Receives the fields behind the device.</param>
    public static bool TryRead(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> device, Span<long> numbers)
    {
        int end = text.IndexOf((byte)' ');
        device = end > 0 ? text[..end] : default;
        for (int i = 0; i < Numbers; i++)
        {
            if (end < 0 || end >= text.Length || text[end] != ' ' || !System.Buffers.Text.Utf8Parser.TryParse(text[(end + 1)..], out long number, out int read))
            {
                return false;
            }

            numbers[i] = number;
            end += 1 + read;
        }

        return end == text.Length && device.Length > 0;
    }
}
