// Predictions, one after the other: each is made by dragging a ring on a chart, and everything that would reveal the
answer is covered until then.

class Questions {
  // asked: [{ name, text, chart, at, most, length, size, seed, truth, within, unit, because }]; answers: those given before.
  // A truth of null is the number of steps that the drawing of the question needs.
  constructor(view, asked, answers = []) {
    Object.assign(this, { view, asked, answers: [...answers] });
    this.index = 0;
    while (this.index < asked.length && this.#isAnswered(asked[this.index].name)) this.index += 1;
    this.isSkipped = false;
    this.part = (name) => view.part(name);
    this.part("ask").hidden = asked.length === 0;
    this.part("answer").addEventListener("click", () => this.answer());
    this.part("next").addEventListener("click", () => this.next());
    this.part("skip").addEventListener("click", () => this.skip());
  }

  #isAnswered(name) {
    return this.answers.some(({ question }) => question === name);
  }

  // questions are left: nothing can be drawn yet
  get areOpen() {
    return !this.isSkipped && this.index < this.asked.length;
  }

  get question() {
    return this.areOpen ? this.asked[this.index] : null;
  }

  // the present question is not answered yet
  get isPending() {
    return this.areOpen && !this.#isAnswered(this.question.name);
  }

  // the answer of the model itself is covered, too
  get hidesModel() {
    return this.isPending && this.question.truth === null;
  }

  // whether the parts that a question covers can be shown
  isShown(name) {
    return !name || !this.areOpen || this.#isAnswered(name);
  }

  begin() {
    if (!this.areOpen) return this.#finish();
    const { question } = this;
    const chart = this.view.charts[question.chart];
    this.#say(question.text, `Prediction ${this.index + 1} of ${this.asked.length}`);
    this.#offer({ answer: true, next: false, skip: true });
    this.part("answer").disabled = true;
    chart.ask({
      x: question.at ?? chart.timeless, y: question.most / 2, most: question.most, name: question.text,
      onMove: (value) => {
        this.part("answer").disabled = false;
        this.part("answer").textContent = `Answer: ${value} ${question.unit}`;
      },
    });
    this.part("answer").textContent = "Answer";
    if (question.seed !== null) this.view.drawQuestion(question);
    this.view.draw();
  }

  answer() {
    if (!this.isPending) return; // pressed twice while the run goes on
    const { question, view } = this;
    const truth = question.truth ?? view.stepsNeeded;
    // the run takes a moment after the question is asked
    if (truth === null) return this.view.whenFinished(() => this.answer());
    const chart = view.charts[question.chart];
    const answer = chart.guess.y;
    this.answers.push({ question: question.name, answer, truth });
    chart.fix();
    const off = Math.abs(answer - truth);
    const said = `${truth} ${question.unit}; you said ${answer}.`;
    const verdict = off <= question.within ? `Right: ${said}` : `Not right: ${said}`;
    this.#say(question.because, verdict);
    this.#offer({ answer: false, next: true, skip: this.index < this.asked.length - 1 });
    this.part("next").textContent = this.index < this.asked.length - 1 ? "Next question" : "Now draw your own";
    this.part("next").focus();
    view.uncovered(question);
  }

  next() {
    const chart = this.view.charts[this.question.chart];
    chart.guess = null;
    chart.draw();
    this.index += 1;
    this.begin();
  }

  skip() {
    this.isSkipped = true;
    for (const chart of Object.values(this.view.charts)) chart.guess = null;
    this.#finish();
    this.view.uncovered(null);
  }

  #finish() {
    this.#say(
      "Draw curves with the mouse: the dot goes to where you begin. Try a maze, a larger canvas, a mask, a cut.", "Your turn",
    );
    this.#offer({ answer: false, next: false, skip: false });
    this.view.draw();
  }

  #say(text, title) {
    this.part("question").textContent = text;
    this.part("title").textContent = title;
  }

  #offer(shown) {
    for (const [name, isShown] of Object.entries(shown)) this.part(name).hidden = !isShown;
  }
}
