// What a user thinks of a whole conversation.

/**
 * Whether it arrived.
 * @param {URL} base  Of the server.
 * @param {string} conversationId
 * @param {number} rating  1 to 5.
 * @param {string | null} comment
 */
export async function sendStars(base, conversationId, rating, comment) {
  const url = new URL(`v1/convai/conversations/${conversationId}/feedback`, base);
  const body = JSON.stringify(comment === null ? { rating } : { rating, comment });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body }).catch(() => null);
  return answer?.ok ?? false;
}
