using System.Runtime.CompilerServices;

namespace V2XSim.Messages;

/// <summary>
/// Reads the objects of a participant list in the common form: names without escapes, decimal numbers without exponents,
/// nothing nested but the measurement. It gives up at anything else and at anything wrong, and the list is then read in the general way,
/// which says what is wrong; whatever it does read has the values that the general way finds. A third of the time, because it makes no
/// tokens: it looks for the names that it knows and takes the number behind them.
/// </summary>
internal ref struct PlainList
{
    private const int MostDigits = 15;

    /// <summary>Members that every object has.</summary>
    private const int Time = 1, Type = 2, Id = 4, Longitude = 8, Latitude = 16, All = 31;
    private readonly ReadOnlySpan<byte> _text;
    private int _at;

    private PlainList(ReadOnlySpan<byte> text) => _text = text;

    /// <summary>Appends the objects of a list to a message.</summary>
    /// <param name="text">What follows the list's opening bracket.</param>
    /// <returns>Where the closing bracket is, or −1 when the list has to be read in the general way; the message then holds part of it.</returns>
    public static int Read(ReadOnlySpan<byte> text, ParticipantMessage message)
    {
        var list = new PlainList(text);
        do
        {
            if (list.Next() != '{' || message.Count >= ParticipantMessage.MaximumObjects || !list.ReadObject(ref message.Add()))
            {
                return -1;
            }
        }
        while (list.Next() == ',');
        return list._text[list._at - 1] == ']' ? list._at - 1 : -1;
    }

    private bool ReadObject(ref ParticipantObject o)
    {
        int seen = 0;
        return ReadMembers(ref o, isMeasurement: false, ref seen) && seen == All;
    }

    /// <summary>Takes the members of an object or of its measurement, with the closing brace.</summary>
    private bool ReadMembers(ref ParticipantObject o, bool isMeasurement, ref int seen)
    {
        int separator;
        do
        {
            if (Next() != '"' || _at >= _text.Length || !(isMeasurement ? ReadMeasured(ref o) : ReadMember(ref o, ref seen)))
            {
                return false;
            }

            separator = Next();
        }
        while (separator == ',');
        return separator == '}';
    }

    private bool ReadMember(ref ParticipantObject o, ref int seen)
    {
        double number;
        long whole;
        bool isRead;
        switch (_text[_at])
        {
            case (byte)'t' when IsNext("timestamp\""u8):
                isRead = Whole(ParticipantCodec.LatestUnixMilliseconds, out whole);
                o.TimestampUnixMilliseconds = whole;
                seen |= Time;
                break;
            case (byte)'p' when IsNext("ptcType\""u8):
                isRead = Whole(5, out whole);
                o.ParticipantType = (byte)whole;
                seen |= Type;
                break;
            case (byte)'p' when IsNext("ptcId\""u8):
                isRead = Whole(65535, out whole);
                o.ParticipantId = (int)whole;
                seen |= Id;
                break;
            case (byte)'v' when IsNext("vehicleClass\""u8):
                isRead = Whole(6, out whole);
                o.VehicleClass = (byte)whole;
                break;
            case (byte)'s' when IsNext("sourceType\""u8):
                isRead = Whole(8, out whole);
                o.SourceType = (byte)whole;
                break;
            case (byte)'l' when IsNext("longitude\""u8):
                isRead = Number(-180, 180, out number);
                o.LongitudeDegrees = number;
                seen |= Longitude;
                break;
            case (byte)'l' when IsNext("latitude\""u8):
                isRead = Number(-90, 90, out number);
                o.LatitudeDegrees = number;
                seen |= Latitude;
                break;
            case (byte)'s' when IsNext("speed\""u8):
                isRead = Number(0, ParticipantCodec.MaximumSpeedMetresPerSecond, out number);
                o.SpeedMetresPerSecond = number;
                break;
            case (byte)'h' when IsNext("heading\""u8):
                isRead = Number(0, 360, out number);
                o.HeadingDegrees = number;
                break;
            case (byte)'l' when IsNext("length\""u8):
                isRead = Number(0, ParticipantCodec.MaximumLengthMetres, out number);
                o.LengthMetres = (float)number;
                break;
            case (byte)'w' when IsNext("width\""u8):
                isRead = Number(0, ParticipantCodec.MaximumWidthMetres, out number);
                o.WidthMetres = (float)number;
                break;
            case (byte)'h' when IsNext("height\""u8):
                isRead = Number(0, ParticipantCodec.MaximumHeightMetres, out number);
                o.HeightMetres = (float)number;
                break;
            case (byte)'m' when IsNext("measurement\""u8):
                isRead = Next() == ':' && Next() == '{' && ReadMembers(ref o, isMeasurement: true, ref seen);
                break;
            default:
                isRead = IsSkipped();
                break;
        }

        return isRead;
    }

    private bool ReadMeasured(ref ParticipantObject o)
    {
        double number;
        bool isRead;
        switch (_text[_at])
        {
            case (byte)'r' when IsNext("rangeMetres\""u8):
                isRead = Number(0, ParticipantCodec.MaximumRangeMetres, out number);
                o.RangeMetres = number;
                break;
            case (byte)'a' when IsNext("azimuthDegrees\""u8):
                isRead = Number(0, 360, out number);
                o.AzimuthDegrees = number;
                break;
            case (byte)'c' when IsNext("covariance\""u8):
                isRead = ReadCovariance(ref o);
                break;
            default:
                isRead = IsSkipped();
                break;
        }

        return isRead;
    }

    private bool ReadCovariance(ref ParticipantObject o)
    {
        const double Most = ParticipantCodec.MaximumCovariance;
        return Next() == ':' && Next() == '['
            && Element(-Most, Most, out double xx) && Next() == ','
            && Element(-Most, Most, out double xy) && Next() == ','
            && Element(-Most, Most, out double yy) && Next() == ']'
            && ParticipantCodec.SetCovariance([xx, xy, yy], ref o) == RejectReason.None;
    }

    /// <summary>Takes the next byte that is no white space; −1 at the end. Nearly always the very next one is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Next()
    {
        int at = _at;
        if ((uint)at < (uint)_text.Length && _text[at] > (byte)' ')
        {
            _at = at + 1;
            return _text[at];
        }

        return NextBeyondSpace();
    }

    private int NextBeyondSpace()
    {
        int at = _at;
        while ((uint)at < (uint)_text.Length)
        {
            byte next = _text[at++];
            if (next is not ((byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t'))
            {
                _at = at;
                return next;
            }
        }

        return -1;
    }

    /// <summary>Takes some letters if they are next.</summary>
    private bool IsNext(ReadOnlySpan<byte> letters)
    {
        bool isNext = _text[_at..].StartsWith(letters);
        _at += isNext ? letters.Length : 0;
        return isNext;
    }

    /// <summary>Takes a name that says nothing to us, and its value, if that is a number, a word or a text of plain letters.</summary>
    private bool IsSkipped()
    {
        if (!IsText() || Next() != ':')
        {
            return false;
        }

        switch (Next())
        {
            case '"':
                return IsText();
            case 't':
                return IsNext("rue"u8);
            case 'f':
                return IsNext("alse"u8);
            case 'n':
                return IsNext("ull"u8);
            case < 0:
                return false;
            default:
                _at--;
                return Digits(out _, out _, out _);
        }
    }

    /// <summary>Takes the rest of a text with its closing quotation mark.</summary>
    private bool IsText()
    {
        while ((uint)_at < (uint)_text.Length)
        {
            byte next = _text[_at++];
            if (next is (byte)'"' or (byte)'\\' or < 0x20 or > 0x7E)
            {
                return next == (byte)'"';
            }
        }

        return false;
    }

    /// <summary>Takes a colon and a whole number from 0.</summary>
    private bool Whole(long most, out long value)
    {
        value = 0;
        return Next() == ':' && Digits(out value, out int decimals, out bool isNegative) && decimals < 0 && !isNegative && value <= most;
    }

    /// <summary>Takes a colon and a number.</summary>
    private bool Number(double low, double high, out double value)
    {
        value = 0;
        return Next() == ':' && Element(low, high, out value);
    }

    private bool Element(double low, double high, out double value)
    {
        value = 0;
        if (!Digits(out long digits, out int decimals, out bool isNegative))
        {
            return false;
        }

        value = ParticipantCodec.Quotient(digits, decimals, isNegative);
        return value >= low && value <= high;
    }

    /// <summary>Takes a number of at most fifteen digits.</summary>
    /// <param name="decimals">How many of the digits stand behind the point; −1 without a point.</param>
    private bool Digits(out long digits, out int decimals, out bool isNegative)
    {
        (digits, decimals, isNegative) = (0, -1, false);
        int first = Next();
        if (first == '-')
        {
            isNegative = true;
            first = (uint)_at < (uint)_text.Length ? _text[_at++] : -1;
        }

        if ((uint)(first - '0') > 9)
        {
            return false;
        }

        ReadOnlySpan<byte> text = _text;
        int at = _at, start = at - 1, point = 0;
        long value = first - '0';
        for (; (uint)at < (uint)text.Length; at++)
        {
            uint next = text[at];
            if (next - '0' <= 9)
            {
                value = (value * 10) + (next - '0');
            }
            else if (next == '.' && point == 0)
            {
                point = at;
            }
            else
            {
                break;
            }
        }

        // The caller checks the byte after a number: a comma or a bracket, or the general reader takes over.
        int count = at - start - (point > 0 ? 1 : 0);
        bool hasLeadingZero = first == '0' && at - start > 1 && point != start + 1;
        if (count > MostDigits || hasLeadingZero || point == at - 1 || at == text.Length)
        {
            return false;
        }

        decimals = point > 0 ? at - 1 - point : -1;
        (digits, _at) = (value, at);
        return true;
    }
}
