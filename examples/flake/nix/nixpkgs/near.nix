# The names nearest to one that is not there, best first, at most five.
text: names:
let
  inherit (builtins) concatMap elemAt filter foldl' genList head length lessThan sort stringLength substring;

  chars = string: genList (i: substring i 1 string) (stringLength string);
  min = a: b: if a < b then a else b;

  # Levenshtein's, a row for each character of `text`.
  wanted = chars text;
  distance = other:
    let
      letters = chars other;
      row = before: letter:
        foldl'
          (now: i:
            let
              replaced = elemAt before i + (if elemAt letters i == letter then 0 else 1);
              moved = 1 + min (elemAt before (i + 1)) (elemAt now i);
            in
            now ++ [ (min replaced moved) ])
          [ (head before + 1) ]
          (genList (i: i) (length letters));
      last = foldl' row (genList (i: i) (length letters + 1)) wanted;
    in
    elemAt last (length letters);

  size = stringLength text;
  limit = if size < 4 then 1 else if size < 9 then 2 else 3;
  end = string: substring (stringLength string - 1) 1 string;
  # Most of 20,000 names are ruled out before anything is counted.
  maybe = name:
    let difference = stringLength name - size;
    in difference <= limit && difference >= -limit
      && (substring 0 1 name == substring 0 1 text || end name == end text);

  close = filter (entry: entry.distance <= limit)
    (map (name: { inherit name; distance = distance name; }) (filter maybe names));
  best = sort (a: b: a.distance < b.distance || (a.distance == b.distance && lessThan a.name b.name)) close;
  # A name that goes on (`postgresql_17` for `postgresql`) is near as well.
  longer = if size < 4 then [ ] else filter (name: substring 0 size name == text && stringLength name - size > limit) names;
  all = map (entry: entry.name) best ++ longer;
in
genList (elemAt all) (min 5 (length all))
