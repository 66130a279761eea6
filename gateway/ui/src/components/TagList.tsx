import { Link } from "../shell/router";
import { joinTags } from "./tags";

/** Tags of a run or a batch, each of which leads to the executions that have it. */
export function TagList({ tags }: { tags: string[] }) {
  return (
    <ul className="row tag-list" aria-label="Tags">
      {tags.map((tag) => (
        <li key={tag}>
          <Link className="badge" href={`/app/executions?${new URLSearchParams({ tag: joinTags([tag]) })}`}>
            {tag}
          </Link>
        </li>
      ))}
    </ul>
  );
}
