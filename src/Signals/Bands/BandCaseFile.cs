using System.Globalization;
using System.Text.Json;
using V2XSim.Foundation;
using V2XSim.Roads;
using V2XSim.Signals.Arterials;

namespace V2XSim.Signals.Bands;

/// <summary>Reads problems of coordination from JSON, and writes those of arterials; units are in the names (<c>_s</c>, m, m/s), times of signals are shares of the cycle.</summary>
public static class BandCaseFile
{
    /// <exception cref="BadInputException">It is not such a file, or says something that cannot be.</exception>
    public static BandCase Read(Stream source, string file)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(source);
            return new Reader(file).Read(document.RootElement);
        }
        catch (JsonException e)
        {
            throw new BadInputException(file, string.Empty, $"the file is not valid JSON: {e.Message}", "give a coordination case", (int)(e.LineNumber ?? 0) + 1);
        }
        catch (InvalidOperationException e)
        {
            throw new BadInputException(file, string.Empty, $"a value has the wrong type: {e.Message}", "give numbers, strings and lists as in a coordination case");
        }
    }

    /// <summary>An arterial as a file that <see cref="Read"/> takes.</summary>
    public static void Write(Stream target, BandCase problem)
    {
        using var json = new Utf8JsonWriter(target, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("id", problem.Id);
        json.WriteString("model", problem.Model == BandModel.MultiBand ? "MULTIBAND" : "MAXBAND");
        Pair("cycle_s", problem.CycleSeconds);
        json.WriteStartObject("objective");
        json.WriteNumber("k", problem.Weight);
        json.WriteString("ratio", problem.Ratio switch { BandRatio.Equal => "equal", BandRatio.None => "none", _ => "maxband81" });
        json.WriteEndObject();
        if (problem.SlownessChange is { } change)
        {
            Pair("dslow", change);
        }

        json.WriteStartArray("signals");
        foreach (BandSignal s in problem.Signals)
        {
            json.WriteStartObject();
            json.WriteString("name", s.Name);
            Number("r_out", s.OutRed);
            Number("r_in", s.InRed);
            if (s.Patterns.Count > 0)
            {
                Number("l_out", s.OutLeft);
                Number("l_in", s.InLeft);
                json.WriteStartArray("patterns");
                foreach (LeftTurnPattern p in s.Patterns)
                {
                    json.WriteStringValue(NameOf(p));
                }

                json.WriteEndArray();
            }
            else
            {
                Number("delta", s.Delta);
            }

            Number("tau_out", s.OutClearance);
            Number("tau_in", s.InClearance);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("links");
        foreach (BandLink l in problem.Links)
        {
            json.WriteStartObject();
            Number("d_out", l.OutMetres);
            Number("d_in", l.InMetres);
            Pair("v_out", l.OutSpeed);
            Pair("v_in", l.InSpeed);
            Number("a_out", l.OutWeight);
            Number("a_in", l.InWeight);
            Number("k", l.Ratio);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (problem.Street is { } street)
        {
            Street(street);
        }

        json.WriteEndObject();

        void Number(string name, double value) => json.WriteNumber(name, Math.Round(value, 9));

        void Pair(string name, (double Least, double Most) range)
        {
            json.WriteStartArray(name);
            json.WriteNumberValue(Math.Round(range.Least, 9));
            json.WriteNumberValue(Math.Round(range.Most, 9));
            json.WriteEndArray();
        }

        void Texts(string name, IReadOnlyList<string> texts)
        {
            json.WriteStartArray(name);
            foreach (string text in texts)
            {
                json.WriteStringValue(text);
            }

            json.WriteEndArray();
        }

        void Places(string name, IReadOnlyList<int> places)
        {
            json.WriteStartArray(name);
            foreach (int place in places)
            {
                json.WriteNumberValue(place);
            }

            json.WriteEndArray();
        }

        void Street(Arterial a)
        {
            json.WriteStartObject("street");
            json.WriteString("name", a.Name);
            Texts("route_out", a.OutRoute);
            Texts("route_in", a.InRoute);
            Number("volume_out_vph", a.Volume.OutVehiclesPerHour);
            Number("volume_in_vph", a.Volume.InVehiclesPerHour);
            Number("saturation_vph", a.Volume.SaturationVehiclesPerHour);
            json.WriteStartArray("free");
            foreach ((string id, double metres) in a.Free)
            {
                json.WriteStartObject();
                json.WriteString("signal", id);
                Number("metres", metres);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("limits_mps");
            foreach (ArterialLink link in a.Links)
            {
                json.WriteStartArray();
                json.WriteNumberValue(Math.Round(link.OutSpeedMetresPerSecond, 9));
                json.WriteNumberValue(Math.Round(link.InSpeedMetresPerSecond, 9));
                json.WriteEndArray();
            }

            json.WriteEndArray();
            json.WriteStartArray("signals");
            foreach (ArterialSignal s in a.Signals)
            {
                json.WriteStartObject();
                json.WriteString("signal", s.Id);
                json.WriteString("programme", s.Programme.ProgrammeId);
                Number("offset_s", s.Programme.OffsetSeconds);
                Places("movements_out", s.OutMovements);
                Places("movements_in", s.InMovements);
                json.WriteStartArray("phases");
                foreach (SignalPhase p in s.Programme.Phases)
                {
                    json.WriteStartObject();
                    Number("duration_s", p.DurationSeconds);
                    json.WriteString("state", p.State);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    public static string NameOf(LeftTurnPattern pattern) => pattern switch
    {
        LeftTurnPattern.LeadLag => "lead-lag",
        LeftTurnPattern.LagLead => "lag-lead",
        LeftTurnPattern.LeadLead => "lead-lead",
        _ => "lag-lag",
    };

    private sealed class Reader(string file)
    {
        public BandCase Read(JsonElement root)
        {
            string model = Text(root, "model", string.Empty);
            (double, double) cycle = Range(root, "cycle_s", string.Empty, 1, 1000);
            string id = root.TryGetProperty("id", out JsonElement named) ? named.GetString() ?? string.Empty : string.Empty;
            return model switch
            {
                "MAXBAND" or "MULTIBAND" => Arterial(root, id, model == "MAXBAND" ? BandModel.MaxBand : BandModel.MultiBand, cycle),
                "NETBAND" => Network(root, id, cycle),
                _ => throw Error("model", $"'{model}' is not a known model", "give MAXBAND, MULTIBAND or NETBAND"),
            };
        }

        private BandCase Arterial(JsonElement root, string id, BandModel model, (double, double) cycle)
        {
            List<BandSignal> signals = [.. List(root, "signals").Select((s, i) => Signal(s, string.Create(CultureInfo.InvariantCulture, $"signals[{i}].")))];
            List<BandLink> links = [.. List(root, "links").Select((l, i) => Link(l, string.Create(CultureInfo.InvariantCulture, $"links[{i}].")))];
            if (signals.Count < 2 || links.Count != signals.Count - 1)
            {
                throw Error("links", string.Create(CultureInfo.InvariantCulture, $"{links.Count} links do not connect {signals.Count} signals"), "give at least two signals and a link between each two neighbours");
            }

            Arterial? street = root.TryGetProperty("street", out JsonElement place) && place.ValueKind == JsonValueKind.Object ? Street(place, links) : null;
            if (street is not null && !street.Signals.Select(s => s.Id).SequenceEqual(signals.Select(s => s.Name), StringComparer.Ordinal))
            {
                throw Error("street.signals", "they do not match the signals and their order", "leave out a signal in both places, with its link");
            }

            JsonElement objective = root.TryGetProperty("objective", out JsonElement stated) ? stated : default;
            string ratio = objective.ValueKind == JsonValueKind.Object && objective.TryGetProperty("ratio", out JsonElement r) ? r.GetString() ?? string.Empty : "equal";
            return new BandCase
            {
                Id = id,
                Model = model,
                CycleSeconds = cycle,
                Signals = signals,
                Links = links,
                Weight = objective.ValueKind == JsonValueKind.Object ? Number(objective, "k", "objective.", 0, 1000, 1) : 1,
                Ratio = ratio switch
                {
                    "equal" => BandRatio.Equal,
                    "none" => BandRatio.None,
                    "maxband81" => BandRatio.MaxBand81,
                    _ => throw Error("objective.ratio", $"'{ratio}' is not a known ratio", "give equal, none or maxband81"),
                },
                Street = street,
                SlownessChange = root.TryGetProperty("dslow", out JsonElement change) && change.ValueKind != JsonValueKind.Null ? Change(change) : null,
            };
        }

        private BandCase Network(JsonElement root, string id, (double, double) cycle)
        {
            var names = new Dictionary<string, int>(StringComparer.Ordinal);
            var signals = new List<BandSignal>();
            if (!root.TryGetProperty("signals", out JsonElement nodes) || nodes.ValueKind != JsonValueKind.Object)
            {
                throw Error("signals", "it is missing", "give reds by signal");
            }

            foreach (JsonProperty node in nodes.EnumerateObject())
            {
                if (!names.TryAdd(node.Name, signals.Count))
                {
                    throw Error($"signals.{node.Name}", "it occurs twice", "name each signal once");
                }

                signals.Add(new BandSignal { Name = node.Name, OutRed = Number(node.Value, "r_ew", $"signals.{node.Name}.", 0, 1), InRed = Number(node.Value, "r_ns", $"signals.{node.Name}.", 0, 1) });
            }

            if (!List(root, "arterials").Any())
            {
                throw Error("arterials", "there is none", "give at least one");
            }

            return new BandCase
            {
                Id = id,
                Model = BandModel.NetBand,
                CycleSeconds = cycle,
                Signals = signals,
                Speed = Range(root, "v_mps", string.Empty, 0.1, 100),
                HasEqualBands = !root.TryGetProperty("equal_bands", out JsonElement equal) || equal.ValueKind == JsonValueKind.True,
                Arterials = [.. List(root, "arterials").Select((a, i) => Road(a, string.Create(CultureInfo.InvariantCulture, $"arterials[{i}].")))],
            };

            BandArterial Road(JsonElement a, string where)
            {
                int[] along = [.. List(a, "nodes").Select(n => names.TryGetValue(n.GetString() ?? string.Empty, out int index) ? index : throw Error(where + "nodes", $"there is no signal '{n}'", "name one of signals"))];
                double[] metres = [.. List(a, "d").Select(d => d.ValueKind == JsonValueKind.Number ? d.GetDouble() : throw Error(where + "d", "this is not a list of numbers", "give metres"))];
                if (along.Length < 2 || metres.Length != along.Length - 1)
                {
                    throw Error(where + "d", "the number of lengths does not match the number of nodes", "give one");
                }

                string axis = Text(a, "axis", where);
                return new BandArterial(Text(a, "name", where), axis == "ns" || (axis != "ew" ? throw Error(where + "axis", $"'{axis}' is not an axis", "ew or ns") : false), along, metres, Number(a, "weight", where, 0, 1e6, 1));
            }
        }

        private Arterial Street(JsonElement s, List<BandLink> links)
        {
            const string Where = "street.";
            List<JsonElement> limits = [.. List(s, "limits_mps")];
            if (limits.Count != links.Count)
            {
                throw Error(Where + "limits_mps", "the number of pairs does not match the number of links", "give the limits out and in");
            }

            return new Arterial
            {
                Name = Text(s, "name", Where),
                OutRoute = [.. List(s, "route_out").Select(r => r.GetString() ?? string.Empty)],
                InRoute = [.. List(s, "route_in").Select(r => r.GetString() ?? string.Empty)],
                Volume = new ArterialVolume(Number(s, "volume_out_vph", Where, 0, 1e5), Number(s, "volume_in_vph", Where, 0, 1e5), Number(s, "saturation_vph", Where, 1, 1e5)),
                Free = s.TryGetProperty("free", out _) ? [.. List(s, "free").Select(f => (Text(f, "signal", Where), Number(f, "metres", Where, 0, 1e6)))] : [],
                Links = [.. links.Select((l, i) => new ArterialLink(l.OutMetres, l.InMetres, Limit(limits[i], 0, i), Limit(limits[i], 1, i)))],
                Signals = [.. List(s, "signals").Select((p, i) => Programme(p, string.Create(CultureInfo.InvariantCulture, $"street.signals[{i}].")))],
            };
        }

        private double Limit(JsonElement pair, int place, int link) =>
            pair.ValueKind == JsonValueKind.Array && pair.GetArrayLength() == 2 && pair[place].ValueKind == JsonValueKind.Number && pair[place].GetDouble() is var speed && speed is >= 0.1 and <= 100
                ? speed
                : throw Error(string.Create(CultureInfo.InvariantCulture, $"street.limits_mps[{link}]"), "it is not two speeds from 0.1 to 100 m/s", "give the limits out and in");

        private ArterialSignal Programme(JsonElement s, string where)
        {
            SignalPhase[] phases = [.. List(s, "phases").Select(p => new SignalPhase(Number(p, "duration_s", where, 0.001, 1e6), Text(p, "state", where)))];
            if (phases.Length == 0 || phases.Any(p => p.State.Length != phases[0].State.Length))
            {
                throw Error(where + "phases", "there is none, or their states differ in length", "give each phase a letter for each movement");
            }

            int[] Places(string name) => [.. List(s, name).Select(m => m.TryGetInt32(out int place) && place >= 0 && place < phases[0].State.Length ? place : throw Error(where + name, $"{m} is no place in the states", "count from 0"))];
            return new ArterialSignal(new SignalLogic(Text(s, "signal", where), Text(s, "programme", where), "static", Number(s, "offset_s", where, -1e6, 1e6), phases), Places("movements_out"), Places("movements_in"));
        }

        private BandSignal Signal(JsonElement s, string where)
        {
            List<LeftTurnPattern> patterns = s.TryGetProperty("patterns", out JsonElement listed) && listed.ValueKind == JsonValueKind.Array
                ? [.. listed.EnumerateArray().Select(p => p.GetString() switch
                {
                    "lead-lag" => LeftTurnPattern.LeadLag,
                    "lag-lead" => LeftTurnPattern.LagLead,
                    "lead-lead" => LeftTurnPattern.LeadLead,
                    "lag-lag" => LeftTurnPattern.LagLag,
                    var other => throw Error(where + "patterns", $"there is no pattern '{other}'", "one of lead-lag, lag-lead, lead-lead, lag-lag"),
                })]
                : [];
            return new BandSignal
            {
                Name = s.TryGetProperty("name", out JsonElement name) ? name.GetString() ?? string.Empty : string.Empty,
                OutRed = Number(s, "r_out", where, 0, 1),
                InRed = Number(s, "r_in", where, 0, 1),
                Delta = Number(s, "delta", where, -1, 1, 0),
                OutLeft = Number(s, "l_out", where, 0, 1, 0),
                InLeft = Number(s, "l_in", where, 0, 1, 0),
                Patterns = patterns,
                OutClearance = Number(s, "tau_out", where, 0, 1, 0),
                InClearance = Number(s, "tau_in", where, 0, 1, 0),
            };
        }

        private BandLink Link(JsonElement l, string where) => new()
        {
            OutMetres = Number(l, "d_out", where, 0, 1e6),
            InMetres = Number(l, "d_in", where, 0, 1e6),
            OutSpeed = Range(l, "v_out", where, 0.1, 100),
            InSpeed = Range(l, "v_in", where, 0.1, 100),
            OutWeight = Number(l, "a_out", where, 0, 1e6, 1),
            InWeight = Number(l, "a_in", where, 0, 1e6, 1),
            Ratio = Number(l, "k", where, 0, 1e6, 1),
        };

        private (double, double) Change(JsonElement change)
        {
            if (change.ValueKind == JsonValueKind.Number)
            {
                return (-change.GetDouble(), change.GetDouble());
            }

            return change.ValueKind == JsonValueKind.Array && change.GetArrayLength() == 2 ? (change[0].GetDouble(), change[1].GetDouble()) : throw Error("dslow", "it is neither a number nor two", "give s/m");
        }

        private (double, double) Range(JsonElement parent, string name, string where, double low, double high)
        {
            if (!parent.TryGetProperty(name, out JsonElement value) || value.ValueKind != JsonValueKind.Array || value.GetArrayLength() != 2)
            {
                throw Error(where + name, "it is not a list of two numbers", "give the least and the most");
            }

            (double least, double most) = (value[0].GetDouble(), value[1].GetDouble());
            return least >= low && most <= high && least <= most ? (least, most) : throw Error(where + name, string.Create(CultureInfo.InvariantCulture, $"{least} to {most} is not a range within {low} to {high}"), "correct it");
        }

        private double Number(JsonElement parent, string name, string where, double low, double high, double? otherwise = null)
        {
            if (!parent.TryGetProperty(name, out JsonElement value))
            {
                return otherwise ?? throw Error(where + name, "it is missing", "give it");
            }

            return value.ValueKind == JsonValueKind.Number && value.GetDouble() is var number && number >= low && number <= high
                ? number
                : throw Error(where + name, string.Create(CultureInfo.InvariantCulture, $"{value} is not a number from {low} to {high}"), "correct it");
        }

        private string Text(JsonElement parent, string name, string where) =>
            parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Error(where + name, "it is missing", "give it");

        private JsonElement.ArrayEnumerator List(JsonElement parent, string name) =>
            parent.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : throw Error(name, "it is missing, or no list", "give it");

        private BadInputException Error(string field, string message, string remedy) => new(file, field, message, remedy);
    }
}
