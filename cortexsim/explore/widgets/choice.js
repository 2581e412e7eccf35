// A row of radio buttons; options that cannot be chosen are grey, with the reason below.

function element(name, attributes, parent, text = null) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== null) made.textContent = text;
  parent.append(made);
  return made;
}

export default following({
  render({ model, el }) {
    const root = element("div", { class: "cs-choice" }, el);
    // radio buttons of one name switch each other off, and every widget has a copy of this module
    const group = `cortexsim-${Math.random().toString(36).slice(2)}`;

    function choose(value) {
      model.set("value", value);
      model.save_changes();
    }

    function draw() {
      const focused = root.contains(document.activeElement);
      root.replaceChildren();
      const options = model.get("options");
      const fields = element("fieldset", {}, root);
      element("legend", {}, fields, model.get("label"));
      const reasons = new Map();
      for (const { value, label, reason } of options) {
        const row = element("label", reason ? { class: "cs-off", title: reason } : {}, fields);
        const radio = element("input", { type: "radio", name: group }, row);
        row.append(label);
        radio.checked = value === (model.get("value") ?? model.get("given"));
        radio.disabled = Boolean(reason) || model.get("disabled");
        radio.addEventListener("change", () => choose(value));
        // the answer of before is chosen again by a click, which changes nothing in the row
        radio.addEventListener("click", () => model.get("value") === value || choose(value));
        if (focused && radio.checked) radio.focus();
        if (reason) reasons.set(reason, [...(reasons.get(reason) ?? []), label]);
      }
      for (const [reason, labels] of reasons) element("div", { class: "cs-why" }, root, `${labels.join(", ")}: ${reason}`);
    }

    const drawn = ["change:options", "change:value", "change:given", "change:disabled"];
    for (const change of drawn) model.on(change, draw);
    draw();
    return () => {
      for (const change of drawn) model.off(change, draw);
    };
  },
});
